/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of timekeeping, without a clock. RTC registers: Motorola MC146818A data sheet. */
#include "abi/xen.h"
#include "host/time.h"

#define NS_PER_S    1000000000LL
#define STEP_LIMIT  MSEC(100) /* more behind than this: no slewing */
#define SLEW_LIMIT  MSEC(50)  /* per second, either way */
#define LEAST_SPAN  MSEC(50)
#define RTC_BINARY  0x04
#define RTC_24_HOUR 0x02
#define RTC_PM      0x80

bool time_restamp(const struct time_sample *last, const struct time_sample *now, nsec_t own,
                  struct time_stamp *stamp)
{
    nsec_t span = now->ns - last->ns, error = now->ns - own;
    uint64_t hz;

    if (span < LEAST_SPAN || now->tsc <= last->tsc)
        return false;
    hz = muldiv(now->tsc - last->tsc, NS_PER_S, (uint64_t)span);
    if (hz < 1000000 || hz > 1000000000000ULL)
        return false;
    stamp->base_ns = own;
    if (error > STEP_LIMIT) {
        stamp->base_ns = now->ns;
        error = 0;
    }
    error = max(min(error, SLEW_LIMIT), -SLEW_LIMIT);
    stamp->scale = time_scale_make(hz, (uint64_t)(NS_PER_S + error));
    return true;
}

static unsigned int rtc_number(uint8_t v, bool binary)
{
    return binary ? v : (v >> 4) * 10u + (v & 15);
}

/* Days since 1970-01-01 of a Gregorian date, counting years from March. */
static uint64_t days_of(unsigned int year, unsigned int month, unsigned int day)
{
    unsigned int y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;

    return y * 365ULL + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

int rtc_decode(const struct rtc_registers *r, uint64_t *seconds)
{
    bool binary = r->status_b & RTC_BINARY, pm = false;
    unsigned int second = rtc_number(r->second, binary), minute = rtc_number(r->minute, binary);
    unsigned int day = rtc_number(r->day, binary), month = rtc_number(r->month, binary);
    unsigned int year = rtc_number(r->year, binary), hour;

    if (!(r->status_b & RTC_24_HOUR))
        pm = r->hour & RTC_PM;
    hour = rtc_number(r->status_b & RTC_24_HOUR ? r->hour : (uint8_t)(r->hour & ~RTC_PM), binary);
    if (!(r->status_b & RTC_24_HOUR)) {
        if (hour < 1 || hour > 12)
            return -XEN_EINVAL;
        hour = hour % 12 + (pm ? 12 : 0);
    }
    if (second > 59 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 || month > 12 ||
        year > 99)
        return -XEN_EINVAL;
    year += year < 70 ? 2000 : 1900; /* the century register is not where all machines have it */
    *seconds = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    return 0;
}
