/*
 * How a POSIX thread that is a green thread ends: pthread_exit(), pthread_cancel(), clean-up handlers.
 *
 * pthread_cancel() is a kill, so that whatever the thread waits in fails; on the way back to foreign code the patched
 * call finds that it was cancelled and ends the thread, as a cancellation point does. What the kill would do to
 * clean-up handlers is taken back first.
 *
 * The stack is unwound as libc does it: by the unwinder of the compiler's library, so that destructors of C++ run and
 * pthread_cleanup_push() of code with exceptions; on its way the handlers of code without are called, or jumped to,
 * frame by frame. Without that library only these run.
 */
#include <config.h>

#include "patch_thread_priv.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unwind.h>

#include "patch_native.h"

/*
 * ---- the unwinder: that of the process, if there is one in sight. Functions of another would not understand its
 * frames, and what the compiler's library calls for each frame is found in sight, too.
 */

static struct {
        _Unwind_Reason_Code (*forced)(struct _Unwind_Exception *, _Unwind_Stop_Fn, void *);
        _Unwind_Word (*frame)(struct _Unwind_Context *);
} unwinder;

static void
load_unwinder(void)
{
        void *lib = RTLD_DEFAULT;
        void *forced, *frame;

        if (dlsym(lib, "_Unwind_ForcedUnwind") == NULL)
                lib = dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_LOCAL);
        if (lib == NULL && dlsym(RTLD_DEFAULT, "_Unwind_ForcedUnwind") == NULL)
                return;
        forced = dlsym(lib, "_Unwind_ForcedUnwind");
        frame = dlsym(lib, "_Unwind_GetCFA");
        if (forced == NULL || frame == NULL)
                return;
        unwinder.frame = (_Unwind_Word(*)(struct _Unwind_Context *))frame;
        unwinder.forced = (_Unwind_Reason_Code(*)(struct _Unwind_Exception *, _Unwind_Stop_Fn, void *))forced;
}

/* Call the handlers registered in memory below limit, the newest first. */
static void
run_handlers(struct green__pt *pt, uintptr_t limit)
{
        while (pt->cleanups != NULL && (uintptr_t)pt->cleanups < limit) {
                struct green__pt_cleanup *c = pt->cleanups;

                pt->cleanups = c->next;
                c->fn(c->arg);
        }
}

/* libc's own end of the OS thread is to be that of the process. */
static void
exit_process(void *value)
{
        (void)value;
        exit(0);
}

static pthread_key_t exit_key;
static bool exit_key_made;

static void
make_exit_key(void)
{
        exit_key_made = pthread_key_create(&exit_key, exit_process) == 0;
}

/*
 * The first OS thread's own green thread ends: the others go on, and when the last is gone the process ends with 0. The
 * OS threads of green-net itself would keep it.
 */
static void
exit_later(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, make_exit_key);
        if (exit_key_made)
                (void)pthread_setspecific(exit_key, &exit_key);
}

/* Everything is unwound. */
static void __attribute__((noreturn)) end(struct green__pt *pt)
{
        if (pt->root) {
                green__pt_tell(pt);
                exit_later();
        } else {
                green__pt_finish(pt);
        }
        green_exit(NULL);
}

/* The frames below limit are unwound: call what they have registered. Jumps, if the next is one of those. */
static void
leave_frames(struct green__pt *pt, uintptr_t limit)
{
        void *place = pt->jumps;

        if (place == NULL || (uintptr_t)place >= limit) {
                run_handlers(pt, limit);
                green__pt_leave_onces(pt, limit);
                return;
        }
        run_handlers(pt, (uintptr_t)place);
        green__pt_leave_onces(pt, (uintptr_t)place);
        green__native_jump(place);
}

static _Unwind_Reason_Code
stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class, struct _Unwind_Exception *exception,
     struct _Unwind_Context *context, void *arg)
{
        struct green__pt *pt = arg;
        bool last = actions & _UA_END_OF_STACK;

        (void)version;
        (void)class;
        (void)exception;
        leave_frames(pt, last ? UINTPTR_MAX : (uintptr_t)unwinder.frame(context));
        if (last || (!pt->root && (uintptr_t)unwinder.frame(context) >= (uintptr_t)pt->base))
                end(pt);
        return _URC_NO_REASON;
}

static void
exception_gone(_Unwind_Reason_Code reason, struct _Unwind_Exception *exception)
{
        (void)reason;
        (void)exception;
}

static void __attribute__((noreturn)) unwind(struct green__pt *pt)
{
        struct _Unwind_Exception *exception = (struct _Unwind_Exception *)(void *)pt->exception;

        _Static_assert(sizeof(*exception) <= sizeof(pt->exception), "an exception fits");
        if (unwinder.forced != NULL) {
                exception->exception_class = 0;
                exception->exception_cleanup = exception_gone;
                (void)unwinder.forced(exception, stop, pt);
        }
        leave_frames(pt, UINTPTR_MAX);
        end(pt);
}

void
green__pt_exit(struct green__pt *pt, void *result)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, load_unwinder);
        pt->result = result;
        pt->exiting = pt->no_cancel = true;
        if (pt->armed)
                (void)green_recover();
        pt->armed = false;
        unwind(pt);
}

/* ---- cancelling */

/* Let the calls of the running thread fail because it was cancelled, or no longer. */
static void
arm(struct green__pt *pt)
{
        if (pt->armed || !pt->cancelled || pt->no_cancel || pt->exiting)
                return;
        pt->armed = true;
        (void)green_kill(pt->thread, GREEN__PT_CANCEL);
}

static void
disarm(struct green__pt *pt)
{
        if (pt->armed)
                (void)green_recover();
        pt->armed = false;
}

void
green__pt_act(struct green__pt *pt)
{
        if (pt->cancelled && !pt->no_cancel && !pt->exiting)
                green__pt_exit(pt, PTHREAD_CANCELED);
}

void
green__pt_begin(struct green__pt *pt)
{
        arm(pt);
}

void
green__patch_testcancel(void)
{
        struct green__pt *pt = green__pt_self();

        if (pt != NULL)
                green__pt_act(pt);
}

/* In the OS thread of the one that is cancelled. */
static void
cancel_here(struct green__pt *pt)
{
        pt->cancelled = true;
        if (pt->no_cancel || pt->exiting || !pt->started || pt->thread == NULL)
                return;
        if (pt->wait != NULL)
                green__lot_cancel(pt->wait);
        else
                arm(pt);
}

static void
cancel_posted(void *arg)
{
        struct green__pt *pt = arg;

        if (!pt->ended)
                cancel_here(pt);
        green__pt_put(pt);
}

static int
cancel(pthread_t handle)
{
        struct green__pt *pt = green__pt_get(handle), *self = green__pt_self();

        if (pt == NULL)
                return green__pt_is(handle) ? ESRCH : pthread_cancel(handle);
        if (pt->ended) {
                green__pt_put(pt);
                return 0;
        }
        if (!pthread_equal(pt->os, pthread_self()) || self == NULL) {
                if (green_hub_post(pt->hub, cancel_posted, pt) == 0)
                        return 0;
                green__pt_put(pt);
                return green__pt_is(handle) ? ESRCH : pthread_cancel(handle);
        }
        cancel_here(pt);
        if (pt == self && pt->at_once) {
                green__pt_put(pt);
                green__pt_act(self);
        }
        green__pt_put(pt);
        return 0;
}

static int
set_cancel_state(int state, int *ret_old)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL)
                return pthread_setcancelstate(state, ret_old);
        if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
                return EINVAL;
        if (ret_old != NULL)
                *ret_old = pt->no_cancel ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
        pt->no_cancel = state == PTHREAD_CANCEL_DISABLE || pt->exiting;
        if (pt->no_cancel) {
                disarm(pt);
                return 0;
        }
        if (pt->at_once)
                green__pt_act(pt);
        arm(pt);
        return 0;
}

static int
set_cancel_type(int type, int *ret_old)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL)
                return pthread_setcanceltype(type, ret_old);
        if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
                return EINVAL;
        if (ret_old != NULL)
                *ret_old = pt->at_once ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
        pt->at_once = type == PTHREAD_CANCEL_ASYNCHRONOUS;
        if (pt->at_once)
                green__pt_act(pt);
        return 0;
}

static void
test_cancel(void)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL)
                pthread_testcancel();
        else
                green__pt_act(pt);
}

static void __attribute__((noreturn)) thread_exit(void *result)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL)
                pthread_exit(result);
        green__pt_exit(pt, result);
}

/* ---- clean-up handlers */

static void
push(struct green__pt_cleanup *c, void (*fn)(void *), void *arg)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL) {
                ((void (*)(struct green__pt_cleanup *, void (*)(void *), void *))green_original(
                        "_pthread_cleanup_push"))(c, fn, arg);
                return;
        }
        *c = (struct green__pt_cleanup){fn, arg, pt->cleanups};
        pt->cleanups = c;
}

/* What was registered before patching is with libc. */
static void
pop(struct green__pt_cleanup *c, int run)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL || pt->cleanups != c) {
                ((void (*)(struct green__pt_cleanup *, int))green_original("_pthread_cleanup_pop"))(c, run);
                return;
        }
        pt->cleanups = c->next;
        if (run)
                c->fn(c->arg);
}

static void GREEN__NATIVE_CLEANUP
register_jump(void *place)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL) {
                ((green__native_cleanup_fn *)green_original("__pthread_register_cancel"))(place);
                return;
        }
        *green__native_jump_next(place) = pt->jumps;
        pt->jumps = place;
}

static void GREEN__NATIVE_CLEANUP
unregister_jump(void *place)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL || pt->jumps != place) {
                ((green__native_cleanup_fn *)green_original("__pthread_unregister_cancel"))(place);
                return;
        }
        pt->jumps = *green__native_jump_next(place);
}

/* A handler that was jumped to has run. */
static void GREEN__NATIVE_CLEANUP
next_jump(void *place)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL || pt->jumps != place)
                ((green__native_cleanup_fn *)green_original("__pthread_unwind_next"))(place);
        else
                pt->jumps = *green__native_jump_next(place);
        if (pt != NULL)
                unwind(pt);
}

const struct patch_entry green__patch_exit[] = {
        PATCH_ENTRY("pthread_exit", thread_exit, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_cancel", cancel, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_setcancelstate", set_cancel_state, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_setcanceltype", set_cancel_type, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_testcancel", test_cancel, GREEN_PATCH_THREAD),
        PATCH_ENTRY("_pthread_cleanup_push", push, GREEN_PATCH_THREAD),
        PATCH_ENTRY("_pthread_cleanup_pop", pop, GREEN_PATCH_THREAD),
        PATCH_ENTRY("_pthread_cleanup_push_defer", push, GREEN_PATCH_THREAD),
        PATCH_ENTRY("_pthread_cleanup_pop_restore", pop, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_register_cancel", register_jump, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_register_cancel_defer", register_jump, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_unregister_cancel", unregister_jump, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_unregister_cancel_restore", unregister_jump, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_unwind_next", next_jump, GREEN_PATCH_THREAD),
        PATCH_ENTRIES_END,
};
