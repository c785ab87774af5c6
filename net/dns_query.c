/*
 * Records of any kind that is known: green_dns_query(). See <green/dns.h>.
 */
#include "dns_priv.h"

#include <green/thread.h>

#include "sock_sys.h"

static bool
is_known(int type)
{
        switch (type) {
        case GREEN_DNS_A:
        case GREEN_DNS_NS:
        case GREEN_DNS_CNAME:
        case GREEN_DNS_PTR:
        case GREEN_DNS_MX:
        case GREEN_DNS_TXT:
        case GREEN_DNS_AAAA:
        case GREEN_DNS_SRV:
                return true;
        default:
                return false;
        }
}

/* An answer of n records, zeroed, with room for a text behind them. */
static struct green_dns_answer *
make_answer(size_t n, size_t text, struct green_dns_record **ret_records)
{
        struct green_dns_answer *answer = green_calloc(1, sizeof *answer + n * sizeof(struct green_dns_record) + text);

        if (answer == NULL)
                return NULL;
        *ret_records = (struct green_dns_record *)(void *)(answer + 1);
        *answer = (struct green_dns_answer){.records = *ret_records, .n = n};
        return answer;
}

/* The name of which a name is an alias, if it is nothing but that. */
static const char *
canonical_of(const struct green__hosts *hosts, const char *name)
{
        const struct green__hosts_line *line = NULL;
        const char *canonical = NULL;

        while ((line = green__hosts_find(hosts, name, line)) != NULL) {
                if (strcmp(green__hosts_name(hosts, line, 0), name) == 0)
                        return NULL;
                if (canonical == NULL)
                        canonical = green__hosts_name(hosts, line, 0);
        }
        return canonical;
}

/* What the hosts file says; 1: nothing. Its answers are good until it is looked at again. */
static int
answer_from_hosts(struct green__dns *dns, const char *name, int type, struct green_dns_answer **ret_answer)
{
        int family = type == GREEN_DNS_A ? AF_INET : AF_INET6;
        const struct green__hosts_line *line = NULL;
        const struct green__hosts *hosts;
        struct green_dns_record *records;
        const char *canonical = NULL;
        uint32_t ttl;
        size_t n = 0, i = 0;
        int rc;

        if (type != GREEN_DNS_A && type != GREEN_DNS_AAAA && type != GREEN_DNS_CNAME)
                return 1;
        rc = green__dns_hosts(dns, &hosts);
        if (rc != 0)
                return rc;
        ttl = (uint32_t)(10 - (green__sys_now() - dns->hosts_seen) / 1000000000);
        if (type == GREEN_DNS_CNAME)
                n = (canonical = canonical_of(hosts, name)) != NULL;
        else
                while ((line = green__hosts_find(hosts, name, line)) != NULL)
                        n += line->family == family;
        if (n == 0)
                return 1;
        *ret_answer = make_answer(n, canonical != NULL ? strlen(canonical) + 1 : 0, &records);
        if (*ret_answer == NULL)
                return -ENOMEM;
        for (size_t k = 0; k < n; k++)
                records[k] = (struct green_dns_record){.type = (enum green_dns_type)type, .ttl = ttl};
        if (canonical != NULL)
                records[0].name = memcpy(records + n, canonical, strlen(canonical) + 1);
        while (canonical == NULL && (line = green__hosts_find(hosts, name, line)) != NULL)
                if (line->family == family)
                        green__dns_addr(family, line->addr, &records[i++].addr);
        return 0;
}

/* RFC 6761: nobody is asked for localhost. */
static int
answer_at_home(int type, struct green_dns_answer **ret_answer)
{
        static const unsigned char loopback4[4] = {127, 0, 0, 1}, loopback6[16] = {[15] = 1};
        struct green_dns_record *record;

        if (type != GREEN_DNS_A && type != GREEN_DNS_AAAA)
                return GREEN_EAI_NODATA;
        *ret_answer = make_answer(1, 0, &record);
        if (*ret_answer == NULL)
                return -ENOMEM;
        record->type = (enum green_dns_type)type;
        if (type == GREEN_DNS_A)
                green__dns_addr(AF_INET, loopback4, &record->addr);
        else
                green__dns_addr(AF_INET6, loopback6, &record->addr);
        return 0;
}

/* The name to ask for. */
static int
question_of(const char *text, int type, char name[GREEN__NAME_SIZE])
{
        struct green_addr addr;

        if (type == GREEN_DNS_PTR && text[0] != '\0' && green__dns_numeric(text, &addr) == 0) {
                green__dns_reverse_name(&addr, name);
                return 0;
        }
        return green__dns_clean_name(text, name, NULL);
}

/* A copy for the caller, whose TTLs are what is left of them. */
static struct green_dns_answer *
copy_answer(const struct green__dns_entry *entry)
{
        int64_t age = (green__sys_now() - entry->since) / 1000000000;
        struct green__dns_reply *copy = green__dns_reply_copy(entry->reply);
        struct green_dns_record *records;

        if (copy == NULL)
                return NULL;
        records = (struct green_dns_record *)(void *)(copy + 1);
        for (size_t i = 0; i < copy->answer.n; i++)
                records[i].ttl = records[i].ttl > age ? records[i].ttl - (uint32_t)age : 0;
        return &copy->answer;
}

static int
ask(struct green__dns *dns, char *name, int type, struct green_dns_answer **ret_answer)
{
        struct green__dns_entry *entry;
        int rc = answer_from_hosts(dns, name, type, ret_answer);

        if (rc <= 0)
                return rc;
        if (green__dns_is_localhost(name))
                return answer_at_home(type, ret_answer);
        rc = green__dns_to_ascii(name);
        if (rc == 0)
                rc = green__dns_ask_one(dns, name, type, &entry);
        if (rc != 0)
                return rc;
        *ret_answer = copy_answer(entry);
        green__dns_let_go(entry);
        return *ret_answer != NULL ? 0 : -ENOMEM;
}

int
green_dns_query(const char *name, enum green_dns_type type, struct green_dns_answer **ret_answer)
{
        char question[GREEN__NAME_SIZE];
        struct green_dns_answer *answer;
        struct green__dns *dns;
        int rc;

        if (name == NULL || ret_answer == NULL)
                return green_set_error(-EINVAL, "green_dns_query: an argument is NULL");
        if (green__dns_uses_system(NULL))
                return green_set_error(-ENOTSUP, "\"%.253s\": the system's resolver knows addresses only", name);
        if (!is_known((int)type))
                return green_set_error(-ENOTSUP, "\"%.253s\": records of type %d are not known", name, (int)type);
        rc = question_of(name, (int)type, question);
        if (rc == 0)
                rc = green_checkpoint();
        if (rc == 0)
                rc = green__dns_enter(&dns);
        if (rc != 0)
                return rc;
        rc = ask(dns, question, (int)type, &answer);
        green__dns_leave(dns);
        if (rc != 0)
                return rc == -EDEADLK ? rc : green__dns_failed(rc, name);
        *ret_answer = answer;
        return 0;
}
