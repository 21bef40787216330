/* base/list.h - an intrusive doubly linked ring.
 *
 * Place in the flow: connections of a worker, tasks of a generation, timers of a wheel's slot.
 * The head is a node of its own; a node outside any list points to itself.
 */
#ifndef QLUA_BASE_LIST_H
#define QLUA_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

/* The struct of `type` whose member `member` is the node at `node`. */
#define LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *node)
{
    node->next = node->prev = node;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

/* Put node in front of `head`: at the end of the list. The node is in no list. */
static inline void list_append(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Take node out; it is in no list afterwards. Harmless on a node outside any list. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

#endif
