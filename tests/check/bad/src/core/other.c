/* SPDX-License-Identifier: Apache-2.0 */
/* One fault for each checker; never built. */
#include "core/other.h"
void *malloc(unsigned long n);
void free(void *p);
#ifdef KR_HOST
#endif
int other(int n)
{
    int a[4] = {0};
    if (n == 1) {
        char *p = malloc(1);
        free(p);
        free(p);
        return *p;
    }
  return a[4];
}
