/*
 * Green threads whose maker is told of their end. See <green/task.h>.
 */
#include <green/task.h>

#include "sched.h"

int
green_spawn_task(struct green_task *task, green_thread_fn fn, void *arg, const char *where, green_thread **ret_gt)
{
        green_thread *t;

        if (green__unlikely(task == NULL || task->end == NULL || fn == NULL))
                return green_set_error(-EINVAL, "green_spawn_task: no task, or no function");
        t = green__thread_make(fn, arg, where);
        if (green__unlikely(t == NULL))
                return green__no_hub();
        t->task = task;
        task->thread = t;
        if (ret_gt != NULL) {
                *ret_gt = t;
        } else {
                t->detached = true;
                t->refs = 1;
        }
        green__ready(t->hub, t);
        return 0;
}

void
green__task_end(green_thread *t)
{
        struct green_task *task = t->task;
        void *result = t->arg;

        t->task = NULL;
        if (t->end_code != 0)
                t->arg = NULL; /* kept until now, for the task only */
        if (task->end(task, t->end_code, result))
                t->asked = true;
}

/* A function that ran in another green thread has ended, and what stands for it with it. */
static void
end_inside(green_thread *t, int code, void *result)
{
        t->ended = true;
        t->settled = true;
        t->end_code = code;
        t->arg = result;
        if (t->task != NULL)
                green__task_end(t);
}

void
green__tasks_inside_end(green_thread *self)
{
        while (self->extra->inside != NULL) {
                green_thread *t = self->extra->inside;

                self->extra->inside = t->local_next;
                end_inside(t, GREEN_EKILLED, NULL);
                green__thread_release(t);
        }
}

/* The story of a failure is the task's, not the one's in which it ran. */
static void
take_error(green_thread *t, green_thread *self)
{
        struct green__extra *extra = self->extra->error == NULL ? NULL : green__thread_extra(t);

        if (extra == NULL)
                return;
        extra->error = self->extra->error;
        self->extra->error = NULL;
}

int
green_run_task(struct green_task *task, green_thread_fn fn, void *arg, const char *where, green_thread **ret_gt)
{
        struct green__hub *h = green__hub_get();
        green_thread *self, *t;
        void *result;
        int code;

        if (h == NULL)
                return green__no_hub();
        if (fn == NULL || (task != NULL && task->end == NULL))
                return green_set_error(-EINVAL, "green_run_task: no function, or a task without an end");
        self = h->current;
        if (self != NULL && green__thread_extra(self) == NULL)
                return green_set_error(-ENOMEM, NULL);
        t = green__thread_stand_in(h, where);
        if (t == NULL)
                return green_set_error(-ENOMEM, NULL);
        t->task = task;
        if (task != NULL)
                task->thread = NULL;
        if (self != NULL) {
                t->local_next = self->extra->inside;
                self->extra->inside = t;
        }
        result = fn(arg);
        code = green_failed(result);
        if (self != NULL) {
                self->extra->inside = t->local_next;
                if (code != 0)
                        take_error(t, self);
        }
        end_inside(t, code, code != 0 ? NULL : result);
        if (ret_gt != NULL)
                *ret_gt = t;
        else
                green__thread_release(t);
        return 0;
}

struct green_task *
green_thread_task(const green_thread *gt)
{
        return gt == NULL ? NULL : gt->task;
}
