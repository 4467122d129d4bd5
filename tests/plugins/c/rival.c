/* Plugins that want what others want. The odd variants are slow to say who they are. */
#define _DEFAULT_SOURCE
#include <coronet_plugin.h>
#include <string.h>
#include <unistd.h>

static coronet_buffer text(const char *json) {
    return (coronet_buffer){(uint8_t *)json, strlen(json)};
}

#define FUNCTION(name) "\"functions\": [{\"name\": \"" name "\", \"parameters\": {\"type\": \"object\"}, \"access\": []}]"
#define PIGEON(function) \
    ", \"provides\": [{\"kind\": \"mail.transport\", \"name\": \"pigeon\", \"function\": \"" function "\"}]"

static const char *const MANIFESTS[] = {
    [1] = "{\"name\": \"slow\", \"version\": \"1\", \"abi\": 1, " FUNCTION("rival.deliver") "}",
    [2] = "{\"name\": \"quick\", \"version\": \"1\", \"abi\": 1, " FUNCTION("rival.deliver") "}",
    [3] = "{\"name\": \"slow\", \"version\": \"1\", \"abi\": 1, " FUNCTION("slow.deliver") PIGEON("slow.deliver") "}",
    [4] = "{\"name\": \"quick\", \"version\": \"1\", \"abi\": 1, " FUNCTION("quick.deliver") PIGEON("quick.deliver") "}",
};

static coronet_buffer manifest(void) {
    if (VARIANT % 2 == 1) {
        usleep(300 * 1000);
    }
    return text(MANIFESTS[VARIANT]);
}

static coronet_status start(const coronet_host *host, coronet_bytes settings, coronet_buffer *answer) {
    (void)host, (void)settings;
    *answer = (coronet_buffer){NULL, 0};
    return CORONET_OK;
}

static coronet_status call(const coronet_call_context *context, coronet_bytes function, coronet_bytes parameters,
                           coronet_buffer *answer) {
    (void)context, (void)function, (void)parameters;
    *answer = text("null");
    return CORONET_OK;
}

static void stop(void) {}

/* All answers are static here. */
static void give_back(coronet_buffer buffer) { (void)buffer; }

const coronet_descriptor *coronet_plugin_v1(void) {
    static const coronet_descriptor descriptor = {
        CORONET_MAGIC, CORONET_ABI_VERSION, sizeof(coronet_descriptor), manifest, start, call, stop, give_back,
    };
    return &descriptor;
}
