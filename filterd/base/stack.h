/* stack.h: stacks beside the loop's own, and the switch between them: what
 * fibers are made of.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stddef.h>

/* Of one stack; a guard page lies below it. Address space only: memory is what
 * is touched. */
#define STACK_SIZE (256 * 1024)
/* Stacks that are kept for reuse; those of them that keep all their memory, and
 * are taken first; what of the others keeps it. */
#define STACK_POOL 128
#define STACK_WARM 8
#define STACK_KEPT (16 * 1024)

typedef struct Stack Stack;

/* From the pool or new; NULL: there is no memory for it. run(data) begins with
 * the first stack_enter(), and its return is the last stack_leave(). */
Stack *stack_new(void (*run)(void *data), void *data);
/* To the pool. Never the stack that one stands on. */
void stack_free(Stack *stack);

/* From the loop's own stack; returns at stack_leave(). The signal mask is the
 * thread's: no stack has one of its own. */
void stack_enter(Stack *stack);
/* Back to where it was entered. */
void stack_leave(Stack *stack);
/* Of one that was left: the memory that only deeper calls have touched. */
void stack_trim(Stack *stack);

/* To be called again and again, as long as it says TRUE: of the pool, all but
 * the warm ones give their memory back if nobody has taken them since the call
 * before. */
gboolean stack_pool_rest(void);
void stack_pool_clear(void);
/* For tests: memory is for so many at most. */
void stack_limit(unsigned stacks);
size_t stack_pool_size(void);
