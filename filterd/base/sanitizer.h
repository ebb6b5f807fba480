/* sanitizer.h: what ASan has to be told of memory that is taken again without
 * malloc(), and of stacks; nothing in a build without it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define sanitizer_hide __asan_poison_memory_region
#define sanitizer_show __asan_unpoison_memory_region
#define sanitizer_start_switch __sanitizer_start_switch_fiber
#define sanitizer_finish_switch __sanitizer_finish_switch_fiber
#else
#define sanitizer_hide(memory, size) ((void)(memory))
#define sanitizer_show(memory, size) ((void)(memory))
#define sanitizer_start_switch(fake, bottom, size) ((void)(fake))
#define sanitizer_finish_switch(fake, bottom, size) ((void)(fake))
#endif
