/* template/vm_loop.h - the inside of loops: vm_loop.c runs them, vm_loop_object.c is `loop`. */
#ifndef QLUA_TEMPLATE_VM_LOOP_H
#define QLUA_TEMPLATE_VM_LOOP_H

#include "template/vm_internal.h"

/* The userdata that `loop` is. While its loop runs, everything is asked of that. */
struct loop_object {
    const struct render *render;
    int at; /* in the render's loops */
    bool is_live;
    double depth0;
    double index0; /* these two: how it ended */
    double length;
};

/* The running loop of an object; NULL: it has ended. */
struct vm_loop *loop_of(struct render *r, const struct loop_object *object);

/* Begin to look for the next item that passes the test of the render's loop `at`. */
void loop_test(struct render *r, int at);

#endif
