/*
 * Work that comes from other OS threads and from signal handlers: a lock-free stack of nodes, taken whole by the hub.
 */
#include <sched.h>

#include "sched.h"

struct green_waker {
        struct green__post post;
        green_hub *mailbox;
        struct green_waitq waiters;
        atomic_bool queued; /* the node is on its way to the hub */
        atomic_bool given;  /* a wake-up is there, and nobody has used it */
        bool freed;         /* free it when the node arrives */
};

int
green__mailbox_post(green_hub *mb, struct green__post *post)
{
        struct green__post *head;
        int rc = GREEN_ECLOSED;

        atomic_fetch_add(&mb->users, 1);
        if (!atomic_load(&mb->closed)) {
                head = atomic_load_explicit(&mb->posts, memory_order_relaxed);
                do
                        post->next = head;
                while (!atomic_compare_exchange_weak(&mb->posts, &head, post));
                /* Of those that come while it sleeps only the first wakes it. */
                if (atomic_load(&mb->sleeping) && atomic_exchange(&mb->sleeping, 0) != 0)
                        mb->ops->wake(mb->state);
                rc = 0;
        }
        atomic_fetch_sub(&mb->users, 1);
        return rc;
}

/* What has come: waits are ended at once, the rest is moved to the callback queue; oldest first. */
void
green__mailbox_drain(struct green__hub *h)
{
        struct green__post *post = atomic_exchange(&h->mailbox->posts, NULL);
        struct green__post *oldest = NULL;
        uint64_t n = 0;

        while (post != NULL) {
                struct green__post *next = post->next;

                post->next = oldest;
                oldest = post;
                post = next;
                n++;
        }
        green__count(&h->counts.posts, n);
        for (post = oldest; post != NULL; post = oldest) {
                oldest = post->next;
                if (post->kind == GREEN__POST_WAIT) {
                        green__wait_mt_arrived(post->arg);
                } else {
                        post->next = NULL;
                        *h->posts_end = post;
                        h->posts_end = &post->next;
                }
        }
}

/* In the child of a fork: those whose waits would be ended have been forgotten. */
void
green__mailbox_after_fork(struct green__hub *h)
{
        struct green__post *post = atomic_load(&h->mailbox->posts), *kept = NULL, **end = &kept;

        while (post != NULL) {
                if (post->kind != GREEN__POST_WAIT) {
                        *end = post;
                        end = &post->next;
                }
                post = post->next;
        }
        *end = NULL;
        atomic_store(&h->mailbox->posts, kept);
}

static void waker_arrived(void *arg);

static void
drop_posts(struct green__post *post)
{
        while (post != NULL) {
                struct green__post *next = post->next;

                if (post->kind == GREEN__POST_OWNED)
                        green_free(post);
                else if (post->kind == GREEN__POST_WAKER)
                        waker_arrived(post->arg);
                post = next;
        }
}

/* The hub ends: nobody can post any more, and what was posted is forgotten. */
void
green__mailbox_close(struct green__hub *h)
{
        green_hub *mb = h->mailbox;

        atomic_store(&mb->closed, 1);
        while (atomic_load(&mb->users) != 0)
                sched_yield();
        mb->hub = NULL;
        drop_posts(atomic_exchange(&mb->posts, NULL));
        drop_posts(h->posts);
        h->posts = NULL;
        h->posts_end = &h->posts;
}

void
green__mailbox_unref(green_hub *mb)
{
        if (atomic_fetch_sub(&mb->refs, 1) == 1)
                green_free(mb);
}

green_hub *
green_hub_ref(green_hub *hub)
{
        if (hub != NULL)
                atomic_fetch_add(&hub->refs, 1);
        return hub;
}

void
green_hub_unref(green_hub *hub)
{
        if (hub != NULL)
                green__mailbox_unref(hub);
}

int
green_hub_post(green_hub *hub, void (*fn)(void *arg), void *arg)
{
        struct green__post *post;
        int rc;

        if (hub == NULL || fn == NULL)
                return -EINVAL;
        post = green_malloc(sizeof(*post));
        if (post == NULL)
                return -ENOMEM;
        *post = (struct green__post){.fn = fn, .arg = arg, .kind = GREEN__POST_OWNED};
        rc = green__mailbox_post(hub, post);
        if (rc != 0)
                green_free(post);
        return rc;
}

_Static_assert(sizeof(struct green__post) <= sizeof(struct green_post_node), "a post fits its public storage");

int
green_hub_post_node(green_hub *hub, struct green_post_node *node, void (*fn)(void *arg), void *arg)
{
        struct green__post *post = (struct green__post *)(uintptr_t)node;

        if (hub == NULL || node == NULL || fn == NULL)
                return -EINVAL;
        *post = (struct green__post){.fn = fn, .arg = arg, .kind = GREEN__POST_NODE};
        return green__mailbox_post(hub, post);
}

/* On the hub stack: hand the wake-up to the first that waits, or leave it for the next that comes. */
static void
waker_arrived(void *arg)
{
        green_waker *w = arg;

        atomic_store(&w->queued, false);
        if (w->freed) {
                green__mailbox_unref(w->mailbox);
                green_free(w);
        } else if (w->waiters.first != NULL && atomic_exchange(&w->given, false)) {
                green_wake_one(&w->waiters, NULL);
        }
}

green_waker *
green_waker_new(void)
{
        struct green__hub *h = green__hub_get();
        green_waker *w;

        if (h == NULL)
                return NULL;
        w = green_calloc(1, sizeof(*w));
        if (w == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        w->mailbox = green_hub_ref(h->mailbox);
        w->post.fn = waker_arrived;
        w->post.arg = w;
        w->post.kind = GREEN__POST_WAKER;
        atomic_fetch_add_explicit(&h->mailbox->shared, 1, memory_order_relaxed);
        return w;
}

int
green_waker_wait(green_waker *w, double timeout)
{
        struct green_wait node;
        int rc;

        if (w == NULL || !green__time_ok(timeout))
                return -EINVAL;
        if (green__hub_here == NULL || w->mailbox != green__hub_here->mailbox)
                return -EPERM;
        rc = timeout == 0 ? 0 : green_checkpoint();
        if (rc != 0)
                return rc;
        if (w->waiters.first == NULL && atomic_exchange(&w->given, false))
                return 0;
        return green_park(&w->waiters, &node, timeout);
}

int
green_wake_mt(green_waker *w)
{
        int rc;

        if (w == NULL)
                return -EINVAL;
        if (atomic_load(&w->mailbox->closed))
                return GREEN_ECLOSED;
        atomic_store(&w->given, true);
        if (atomic_exchange(&w->queued, true))
                return 0;
        rc = green__mailbox_post(w->mailbox, &w->post);
        if (rc != 0)
                atomic_store(&w->queued, false);
        return rc;
}

int
green_waker_free(green_waker *w)
{
        if (w == NULL)
                return 0;
        if (w->waiters.first != NULL)
                return -EBUSY;
        if (!atomic_load(&w->mailbox->closed)) {
                if (green__hub_here == NULL || w->mailbox != green__hub_here->mailbox)
                        return -EPERM;
                atomic_fetch_sub_explicit(&w->mailbox->shared, 1, memory_order_relaxed);
        }
        if (atomic_load(&w->queued)) {
                w->freed = true;
                return 0;
        }
        green__mailbox_unref(w->mailbox);
        green_free(w);
        return 0;
}
