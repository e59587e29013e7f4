/* The loader's functions, from the header that the system has. */
#define VOLK_IMPLEMENTATION
#include <volk.h>
