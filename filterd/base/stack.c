/* stack.c: guarded stacks that makecontext() begins and longjmp() enters and
 * leaves, which costs no system call; with what ASan and valgrind have to be
 * told.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
/* A checked longjmp() takes another stack for a mistake. */
#undef _FORTIFY_SOURCE

#include "filterd/base/stack.h"

#include "filterd/base/sanitizer.h"

#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(from, to) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

/* It lies at the upper end of its own memory, in the page that is touched
 * anyway. */
struct Stack {
    jmp_buf inside;   /* where it goes on */
    const char *left; /* what lies below is of no more use */
    gboolean begun;
    char *memory; /* above the guard page */
    void (*run)(void *data);
    void *data;
    unsigned valgrind_id;
    void *fake; /* ASan's frames for use after return */
    enum { STACK_USED, STACK_RESTED, STACK_EMPTY } state; /* in the pool */
};

/* Of a Stack, such that the frames begin where a line of the cache does. */
#define STATE_SIZE ((sizeof(Stack) + 63) / 64 * 64)

/* The loop's own stack, from which each is entered; and ASan's of it. */
static struct {
    jmp_buf place;
    void *fake;
    const void *bottom;
    size_t size;
} outside;

/* The warm ones at its end. */
static GPtrArray *pool;
static unsigned warm;
static unsigned mapped, most = G_MAXUINT;

/* The frames' part of it. */
static size_t
room(const Stack *stack)
{
    return (size_t)((const char *)stack - stack->memory);
}

/* A map for the stack, one for its guard: a process may have so many. */
static Stack *
map_stack(void)
{
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = MAP_FAILED;
    Stack *stack;

    if (mapped < most)
        memory = mmap(NULL, guard + STACK_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
                      -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (mprotect(memory, guard, PROT_NONE) != 0) {
        munmap(memory, guard + STACK_SIZE);
        return NULL;
    }
    mapped++;
    memory += guard;
    stack = (Stack *)(memory + STACK_SIZE - STATE_SIZE);
    stack->memory = memory;
    stack->left = (const char *)stack;
    stack->valgrind_id = VALGRIND_STACK_REGISTER(memory, memory + room(stack));
    return stack;
}

static void
unmap(Stack *stack)
{
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);

    VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
    munmap(stack->memory - guard, guard + STACK_SIZE);
    mapped--;
}

static Stack *
take_stack(void)
{
    if (pool != NULL && pool->len > 0) {
        warm -= warm > 0;
        return g_ptr_array_steal_index(pool, pool->len - 1);
    }
    return map_stack();
}

Stack *
stack_new(void (*run)(void *data), void *data)
{
    Stack *stack = take_stack();

    if (stack == NULL)
        return NULL;
    stack->run = run;
    stack->data = data;
    return stack;
}

void
stack_free(Stack *stack)
{
    /* Frames that were left without returning are still poisoned. */
    sanitizer_show(stack->memory, room(stack));
    stack->state = STACK_USED;
    if (pool == NULL)
        pool = g_ptr_array_new();
    if (pool->len >= STACK_POOL) {
        unmap(stack);
    } else if (warm < STACK_WARM) {
        g_ptr_array_add(pool, stack);
        warm++;
    } else {
        madvise(stack->memory, STACK_SIZE - STACK_KEPT, MADV_DONTNEED);
        g_ptr_array_insert(pool, 0, stack);
    }
}

gboolean
stack_pool_rest(void)
{
    gboolean more = FALSE;

    for (guint i = 0; i + warm < stack_pool_size(); i++) {
        Stack *stack = g_ptr_array_index(pool, i);

        if (stack->state == STACK_RESTED) {
            stack_trim(stack);
            stack->state = STACK_EMPTY;
        } else if (stack->state == STACK_USED) {
            stack->state = STACK_RESTED;
            more = TRUE;
        }
    }
    return more;
}

/* ---- from one to the other ---------------------------------------------- */

/* Below everything that its caller has on the stack. */
G_NO_INLINE static const char *
stack_end(void)
{
    return __builtin_frame_address(0);
}

/* `fake` NULL: no frame below is returned to. */
static void
leave(Stack *stack, void **fake)
{
    sanitizer_start_switch(fake, outside.bottom, outside.size);
    stack->left = stack_end();
    if (_setjmp(stack->inside) == 0)
        _longjmp(outside.place, 1);
    sanitizer_finish_switch(fake != NULL ? *fake : NULL, &outside.bottom,
                            &outside.size);
}

/* One after the other, for as long as the stack is mapped. makecontext() passes
 * ints only: the pointer comes in halves. */
static void
run_all(unsigned high, unsigned low)
{
    Stack *stack = (Stack *)((uintptr_t)high << 32 | low);

    sanitizer_finish_switch(NULL, &outside.bottom, &outside.size);
    for (;;) {
        stack->run(stack->data);
        leave(stack, NULL);
    }
}

static void G_GNUC_NORETURN
begin(Stack *stack)
{
    static ucontext_t context; /* this frame is left for good */

    stack->begun = TRUE;
    getcontext(&context);
    context.uc_stack.ss_sp = stack->memory;
    context.uc_stack.ss_size = room(stack);
    context.uc_link = NULL;
    makecontext(&context, (void (*)(void))run_all, 2,
                (unsigned)((uint64_t)(uintptr_t)stack >> 32),
                (unsigned)(uintptr_t)stack);
    setcontext(&context);
    g_assert_not_reached();
}

void
stack_enter(Stack *stack)
{
    sanitizer_start_switch(&outside.fake, stack->memory, room(stack));
    if (_setjmp(outside.place) == 0) {
        if (!stack->begun)
            begin(stack);
        _longjmp(stack->inside, 1);
    }
    sanitizer_finish_switch(outside.fake, NULL, NULL);
}

void
stack_leave(Stack *stack)
{
    leave(stack, &stack->fake);
}

void
stack_trim(Stack *stack)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    madvise(stack->memory, (size_t)(stack->left - stack->memory) / page * page,
            MADV_DONTNEED);
}

void
stack_pool_clear(void)
{
    for (guint i = 0; pool != NULL && i < pool->len; i++)
        unmap(g_ptr_array_index(pool, i));
    g_clear_pointer(&pool, g_ptr_array_unref);
    warm = 0;
}

void
stack_limit(unsigned stacks)
{
    most = stacks;
}

size_t
stack_pool_size(void)
{
    return pool != NULL ? pool->len : 0;
}
