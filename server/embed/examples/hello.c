/* SPDX-License-Identifier: BSD-3-Clause */
/* The cache from C: a value, a counter, and any command. */
#include <ouro_c.h>
#include <stdio.h>

static void print(void* context, const char* value, size_t bytes) {
  printf("%s%.*s\n", (const char*)context, (int)bytes, value);
}

int main(void) {
  ouro_options options = OURO_OPTIONS_DEFAULT;
  char error[256], prefix[] = "greeting: ";
  const char* unfinished[] = {"INCRBY", "count"};
  const char* members[] = {"SADD", "tags", "fast", "small", "fast"};
  int64_t count = 0;
  ouro_answer* answer;
  ouro_cache* cache = ouro_open(&options, error, sizeof(error));
  if (cache == NULL) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  ouro_set(cache, "greeting", 8, "hello", 5, 60000);
  ouro_visit(cache, "greeting", 8, print, prefix);
  ouro_incr(cache, "count", 5, 41, NULL);
  ouro_incr(cache, "count", 5, 1, &count);
  printf("count: %lld\n", (long long)count);
  answer = ouro_execute(cache, 5, members, NULL);
  printf("new tags: %lld\n", (long long)ouro_answer_integer(answer));
  ouro_answer_free(answer);
  answer = ouro_execute(cache, 2, unfinished, NULL);
  printf("error: %s\n", ouro_answer_text(answer, NULL));
  ouro_answer_free(answer);
  ouro_close(cache);
  return 0;
}
