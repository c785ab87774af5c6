/*
 * Each primitive against a model of it, at random: see model.h.
 */
#include "model.h"

GREEN_SUITE_INIT(help_init)

/* ---- events */

enum { EVENT_WAIT, EVENT_SEND, EVENT_FAIL, EVENT_RESET, EVENT_POLL };

static const char *const event_ops[] = {"wait", "send", "send_exception", "reset", "poll"};

struct event_state {
        struct model_queue waiters;
        bool sent;
        int code;
        void *value;
};

static void
event_choose(struct model *m, struct model_actor *a)
{
        static const int ops[] = {EVENT_WAIT, EVENT_WAIT, EVENT_WAIT, EVENT_WAIT, EVENT_SEND,
                                  EVENT_FAIL, EVENT_RESET, EVENT_RESET, EVENT_POLL};

        a->op = ops[model_below(m, 9)];
        a->arg = 1 + (long)model_below(m, 1000);
        if (a->op != EVENT_WAIT)
                a->ticks = 0;
}

static int
event_perform(struct model *m, struct model_actor *a)
{
        switch (a->op) {
        case EVENT_WAIT:
                return green_event_wait(m->object, &a->got, model_limit(a));
        case EVENT_SEND:
                return green_event_send(m->object, PTR(a->arg));
        case EVENT_FAIL:
                return green_event_send_exception(m->object, -2000 - (int)a->arg);
        case EVENT_RESET:
                return green_event_reset(m->object);
        default:
                return green_event_poll(m->object, &a->got);
        }
}

static void
event_send(struct model *m, struct event_state *e, int code, void *value)
{
        struct model_actor *w;

        e->sent = true;
        e->code = code;
        e->value = value;
        while ((w = model_first(&e->waiters)) != NULL) {
                w->want_value = value;
                model_wake(m, w, code);
        }
}

static void
event_apply(struct model *m, struct model_actor *a)
{
        struct event_state *e = m->state;

        switch (a->op) {
        case EVENT_WAIT:
        case EVENT_POLL:
                a->want_value = e->value;
                if (e->sent)
                        model_done(a, e->code);
                else
                        model_wait(a, &e->waiters);
                break;
        case EVENT_SEND:
        case EVENT_FAIL:
                model_done(a, e->sent ? -EALREADY : 0);
                if (!e->sent)
                        event_send(m, e, a->op == EVENT_SEND ? 0 : -2000 - (int)a->arg,
                                   a->op == EVENT_SEND ? PTR(a->arg) : NULL);
                break;
        default:
                model_done(a, e->sent ? 0 : -EINVAL);
                e->sent = false;
                e->value = NULL;
        }
}

static void
event_check(struct model *m)
{
        const struct event_state *e = m->state;

        CHECK_INT(green_event_ready(m->object), e->sent);
        CHECK_INT(green_event_has_result(m->object), e->sent && e->code == 0);
        CHECK_INT(green_event_has_exception(m->object), e->sent && e->code != 0);
}

static void
events_do_what_their_model_does(void)
{
        static const struct model_spec spec = {.name = "event",
                                               .ops = event_ops,
                                               .choose = event_choose,
                                               .perform = event_perform,
                                               .apply = event_apply,
                                               .check = event_check};
        struct event_state state = {.sent = false};
        green_event *e = green_event_new();

        model_run(&spec, e, &state);
        CHECK_INT(green_event_free(e), 0);
}

GREEN_SUITE(sync_model) {
        GREEN_TEST(events_do_what_their_model_does, .limit = 120),
        GREEN_SUITE_END
};
