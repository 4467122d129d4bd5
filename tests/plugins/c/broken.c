/* Libraries that break the contract, one for each -DVARIANT. */
#include <coronet_plugin.h>

#define NO_SYMBOL 1
#define NO_DESCRIPTOR 2
#define WRONG_MAGIC 3
#define WRONG_VERSION 4
#define SHORT 5
#define NO_FUNCTIONS 6
#define CRASHES_WHILE_LOADED 7
#define UNRESOLVED 8
#define NO_MANIFEST 9

#if VARIANT == CRASHES_WHILE_LOADED
__attribute__((constructor)) static void crash(void) { abort(); }
#endif

#if VARIANT == UNRESOLVED
void nowhere_to_be_found(void);
void use(void) { nowhere_to_be_found(); }
#endif

#if VARIANT == NO_MANIFEST
static coronet_buffer manifest(void) { return (coronet_buffer){NULL, 0}; }
static coronet_status start(const coronet_host *h, coronet_bytes s, coronet_buffer *a) {
    (void)h, (void)s, (void)a;
    return CORONET_OK;
}
static coronet_status call(const coronet_call_context *c, coronet_bytes f, coronet_bytes p, coronet_buffer *a) {
    (void)c, (void)f, (void)p, (void)a;
    return CORONET_OK;
}
static void stop(void) {}
static void give_back(coronet_buffer b) { (void)b; }
#endif

#if VARIANT != NO_SYMBOL
const coronet_descriptor *coronet_plugin_v1(void) {
#if VARIANT == NO_DESCRIPTOR
    return NULL;
#else
    static coronet_descriptor descriptor = {.magic = CORONET_MAGIC, .abi_version = CORONET_ABI_VERSION,
                                            .size = sizeof(coronet_descriptor)};
#if VARIANT == WRONG_MAGIC
    descriptor.magic = 42;
#elif VARIANT == WRONG_VERSION
    descriptor.abi_version = 99;
#elif VARIANT == SHORT
    descriptor.size = 16;
#elif VARIANT == NO_MANIFEST
    descriptor = (coronet_descriptor){CORONET_MAGIC, CORONET_ABI_VERSION, sizeof(coronet_descriptor),
                                      manifest, start, call, stop, give_back};
#endif
    return &descriptor;
#endif
}
#endif
