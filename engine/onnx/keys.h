/* The keys by which a model, a side file or a property says how to use a network: README.md has the
 * table. */
#pragma once

#include <sightline/metadata.h>

#include <stdbool.h>

#define SL_RULE_MAX_CHANNELS 3

/* The rules with what is needed to change them key by key. */
typedef struct SlRules {
  SlModelRules public;              /* first: callers hold its address */
  uint64_t n_classes;               /* of the network's first output; 0: not known */
  bool free_size;                   /* the network leaves width and height open */
  float mean[SL_RULE_MAX_CHANNELS]; /* of the ranged value, as the key states it */
  uint32_t unsaid;                  /* bit i: sl_rule_keys[i] was assumed */
} SlRules;

/* Sets one key. FALSE without an error: the value is not what the table expects. `folder`: of the
 * file that says so, for paths; NULL: the working folder. */
typedef gboolean (*SlRuleFunc) (SlRules *rules, const char *value, const char *folder,
                                GError **error);

typedef struct SlRuleKey {
  const char *name;
  SlRuleFunc set;       /* NULL: kept in the file, no rule follows from it */
  const char *expected; /* of the value */
  const char *assumed;  /* what holds where nobody says; NULL: nothing to mention */
} SlRuleKey;

/* In the order of application; ended by a row without a name. */
extern const SlRuleKey sl_rule_keys[];

/* Index of a key, or -1. */
int sl_rule_find (const char *name);

/* The error says "KEY is 'VALUE' (expected …)". A key once set counts as said. */
gboolean sl_rule_set (SlRules *rules, int key, const char *value, const char *folder,
                      GError **error);

/* Not assumed any more; then rules->public.assumed is to be made anew. */
void sl_rule_note_said (SlRules *rules, const char *name);
void sl_rules_update_assumed (SlRules *rules);

/* What the rows of the table do that concern labels. */
gboolean sl_rule_set_labels (SlRules *rules, const char *value, const char *folder, GError **error);
gboolean sl_rule_set_label_file (SlRules *rules, const char *value, const char *folder,
                                 GError **error);
