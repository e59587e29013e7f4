#include "core/memory.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *
sl_aligned_alloc (size_t size)
{
  void *memory;
  if (posix_memalign (&memory, SL_ALIGNMENT, size ? size : 1) != 0)
    return NULL;
  return memory;
}

void
sl_aligned_free (void *memory)
{
  free (memory);
}

void *
sl_pages_alloc (size_t size)
{
  void *pages =
      mmap (NULL, MAX (size, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages != MAP_FAILED ? pages : NULL;
}

void
sl_pages_drop (void *pages, size_t begin, size_t end)
{
  const size_t page = (size_t)sysconf (_SC_PAGESIZE);
  begin = sl_align_up (begin, page);
  end &= ~(page - 1);
  if (begin < end)
    madvise ((char *)pages + begin, end - begin, MADV_DONTNEED);
}

void
sl_pages_free (void *pages, size_t size)
{
  if (pages != NULL)
    munmap (pages, MAX (size, 1));
}
