/* SPDX-License-Identifier: Apache-2.0 */
/* The com1= and com2= options. LCR: PC16550D data sheet, section 8.1. */
#include "abi/xen.h"
#include "host/uart.h"
#include "lib/parse.h"
#include "lib/string.h"

/* "8n1" and the like. */
static int parse_format(const char **p, uint8_t *line)
{
    static const char parity[] = "noems";
    static const uint8_t parity_bits[] = {0x00, 0x08, 0x18, 0x28, 0x38};
    const char *s = *p;
    const char *which;

    if (s[0] < '5' || s[0] > '8' || !s[1] || !(which = strchr(parity, s[1])) ||
        (s[2] != '1' && s[2] != '2'))
        return -XEN_EINVAL;
    *line = (uint8_t)((s[0] - '5') | parity_bits[which - parity] | (s[2] == '2' ? 4 : 0));
    *p = s + 3;
    return 0;
}

static int parse_limited(const char **p, uint64_t limit, uint64_t *v)
{
    int err = parse_number(p, v);

    return err ? err : *v > limit ? -XEN_EINVAL : 0;
}

int uart_parse(const char *text, struct uart_config *out)
{
    struct uart_config c = *out;
    const char *p = text;
    uint64_t v;

    if (!strncmp(p, "auto", 4)) {
        c.baud = 0;
        p += 4;
    } else {
        if (parse_limited(&p, 4000000, &v) || !v || 115200 % v)
            return -XEN_EINVAL;
        c.baud = (uint32_t)v;
    }
    if (*p == ',' && (p++, *p != ',') && *p && parse_format(&p, &c.line))
        return -XEN_EINVAL;
    if (*p == ',' && (p++, *p != ',') && *p) {
        if (parse_limited(&p, 0xfff8, &v) || !v)
            return -XEN_EINVAL;
        c.port = (uint16_t)v;
    }
    if (*p == ',') {
        p++;
        if (parse_limited(&p, 15, &v))
            return -XEN_EINVAL;
        c.irq = (uint8_t)v;
    }
    if (*p)
        return -XEN_EINVAL;
    *out = c;
    return 0;
}
