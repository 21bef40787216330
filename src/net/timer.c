/* net/timer.c - deadlines: one timer wheel a loop. See timer.h. */
#include "net/timer.h"

#include "net/net_internal.h"

/* The longest delay the wheel can hold; longer ones are placed anew when they come up. */
#define WHEEL_SPAN ((uint64_t)1 << (WHEEL_BITS * WHEEL_LEVELS))

void wheel_init(struct wheel *wheel, uint64_t now)
{
    wheel->now = now;
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
    }
}

void wheel_place(struct wheel *wheel, struct timer *timer)
{
    uint64_t due = timer->due > wheel->now ? timer->due : wheel->now + 1;
    uint64_t delta = due - wheel->now;
    if (delta >= WHEEL_SPAN)
        due = wheel->now + WHEEL_SPAN - 1;
    int level = 0;
    while (level < WHEEL_LEVELS - 1 && delta >= (uint64_t)1 << (WHEEL_BITS * (level + 1)))
        level++;
    unsigned slot = (unsigned)(due >> (WHEEL_BITS * level)) & (WHEEL_SLOTS - 1);
    list_append(&wheel->slots[level][slot], &timer->node);
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

/* Take a slot's timers out into `out`. */
static void wheel_take(struct wheel *wheel, int level, unsigned slot, struct list *out)
{
    struct list *head = &wheel->slots[level][slot];
    list_init(out);
    wheel->occupied[level] &= ~((uint64_t)1 << slot);
    if (list_is_empty(head))
        return;
    *out = *head;
    out->next->prev = out;
    out->prev->next = out;
    list_init(head);
}

/* The wheel's hand passes a boundary of `level`: what lies in the slot now begun moves down. */
static void wheel_cascade(struct wheel *wheel, int level)
{
    unsigned slot = (unsigned)(wheel->now >> (WHEEL_BITS * level)) & (WHEEL_SLOTS - 1);
    if (slot == 0 && level < WHEEL_LEVELS - 1)
        wheel_cascade(wheel, level + 1); /* at most WHEEL_LEVELS deep */
    struct list moved;
    wheel_take(wheel, level, slot, &moved);
    while (!list_is_empty(&moved)) {
        struct timer *timer = LIST_ENTRY(moved.next, struct timer, node);
        list_remove(&timer->node);
        /* One due right now goes to the slot about to be read. */
        if (timer->due <= wheel->now) {
            unsigned at = (unsigned)wheel->now & (WHEEL_SLOTS - 1);
            list_append(&wheel->slots[0][at], &timer->node);
            wheel->occupied[0] |= (uint64_t)1 << at;
        } else {
            wheel_place(wheel, timer);
        }
    }
}

static void wheel_fire(struct wheel *wheel)
{
    unsigned slot = (unsigned)wheel->now & (WHEEL_SLOTS - 1);
    if ((wheel->occupied[0] >> slot & 1) == 0)
        return;
    struct list due;
    wheel_take(wheel, 0, slot, &due);
    while (!list_is_empty(&due)) {
        struct timer *timer = LIST_ENTRY(due.next, struct timer, node);
        list_remove(&timer->node);
        if (timer->due > wheel->now) {
            wheel_place(wheel, timer); /* was beyond the wheel's span */
            continue;
        }
        timer->due = 0;
        timer->fn(timer);
    }
}

void wheel_advance(struct wheel *wheel, uint64_t now)
{
    while (wheel->now < now) {
        uint64_t next = wheel_next(wheel);
        if (next > now) {
            wheel->now = now; /* nothing fires or moves down before */
            return;
        }
        wheel->now = next;
        if ((wheel->now & (WHEEL_SLOTS - 1)) == 0)
            wheel_cascade(wheel, 1);
        wheel_fire(wheel);
    }
}

uint64_t wheel_next(const struct wheel *wheel)
{
    uint64_t soonest = UINT64_MAX;
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        uint64_t bits = wheel->occupied[level];
        if (bits == 0)
            continue;
        /* The first occupied slot after the hand's own, going round: when its time begins. */
        uint64_t hand = wheel->now >> (WHEEL_BITS * level);
        unsigned shift = (unsigned)(hand + 1) & (WHEEL_SLOTS - 1);
        uint64_t turned = shift == 0 ? bits : bits >> shift | bits << (WHEEL_SLOTS - shift);
        uint64_t next = (hand + 1 + (uint64_t)__builtin_ctzll(turned)) << (WHEEL_BITS * level);
        if (next < soonest)
            soonest = next;
    }
    return soonest;
}

void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
    list_init(&timer->node);
    timer->due = 0;
    timer->fn = fn;
}

static void on_alarm(uv_timer_t *alarm)
{
    struct loop *loop = alarm->data;
    loop->alarm_due = 0;
    /* UV_RUN_ONCE fires first what is due, and then sleeps: for what may have happened already. */
    if (loop->in_turn)
        uv_stop(&loop->uv);
    wheel_advance(&loop->wheel, uv_now(&loop->uv));
    uint64_t next = wheel_next(&loop->wheel);
    if (next != UINT64_MAX && (loop->alarm_due == 0 || next < loop->alarm_due)) {
        uint64_t now = uv_now(&loop->uv);
        loop->alarm_due = next;
        uv_timer_start(&loop->alarm, on_alarm, next > now ? next - now : 0, 0);
    }
}

void timer_start(struct loop *loop, struct timer *timer, uint64_t delay_ms)
{
    uint64_t now = uv_now(&loop->uv);
    list_remove(&timer->node);
    /* The wheel stands still while no timer waits: bring it up to date first. */
    if (loop->alarm_due == 0 && wheel_next(&loop->wheel) == UINT64_MAX && loop->wheel.now < now)
        loop->wheel.now = now;
    timer->due = now + (delay_ms == 0 ? 1 : delay_ms);
    wheel_place(&loop->wheel, timer);
    if (loop->alarm_due == 0 || timer->due < loop->alarm_due) {
        loop->alarm_due = timer->due;
        uv_timer_start(&loop->alarm, on_alarm, timer->due - now, 0);
    }
}

void timer_stop(struct timer *timer)
{
    list_remove(&timer->node);
    timer->due = 0;
}
