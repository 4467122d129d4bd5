/*
 * The contract between Coronet and a plugin, version 1. Made from plugins/abi by cbindgen: do not edit.
 *
 * A plugin exports one function, `const coronet_descriptor *coronet_plugin_v1(void);`, and links to nothing of Coronet.
 */

#ifndef CORONET_PLUGIN_H
#define CORONET_PLUGIN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 The first eight bytes of a [`Descriptor`]: `CORONET1`, read as a little-endian number.
 */
#define CORONET_MAGIC 3554542208542723907

/*
 The version of this contract.
 */
#define CORONET_ABI_VERSION 1

/*
 How a call went.

 A plain number and not an enum: a wrong value from the other side must not be undefined behaviour.
 */
typedef int32_t coronet_status;

/*
 Bytes lent for the time of a call. The receiver must not keep or free them.
 */
typedef struct {
    /*
     The first byte; may be null when `len` is 0.
     */
    const uint8_t *ptr;
    /*
     How many bytes there are.
     */
    size_t len;
} coronet_bytes;

/*
 Bytes given away. The receiver hands them back to the `free` of the side that made them, exactly once.
 */
typedef struct {
    /*
     The first byte; may be null when `len` is 0.
     */
    uint8_t *ptr;
    /*
     How many bytes there are.
     */
    size_t len;
} coronet_buffer;

/*
 What a plugin knows about the call it is answering.
 */
typedef struct {
    /*
     Size of this struct in bytes, as the host knows it.
     */
    uint32_t size;
    /*
     Who calls: 0 the server itself, 1 an operator, 2 an app, 3 a job, 4 a page, 5 another plugin.
     */
    uint32_t caller;
    /*
     Number of the call, never 0; goes with every call back to the host, so that the two are seen as one.
     */
    uint64_t call;
} coronet_call_context;

/*
 What the host offers to a plugin. Valid until the process ends; every function may be called from any thread.
 */
typedef struct {
    /*
     Size of this struct in bytes, as the host knows it.
     */
    uint32_t size;
    /*
     Version of the contract that the host speaks.
     */
    uint32_t abi_version;
    /*
     Passed back as the first argument of every function here.
     */
    const void *context;
    /*
     Calls a function of Coronet and waits for its answer. `parent` is the number of the call being answered, or 0.
     The function `batch` makes several calls at once: it takes `[[function, parameters], …]` and answers
     `[{"ok": result} | {"error": failure}, …]` in the same order, for 256 calls at most.
     */
    coronet_status (*call)(const void *context,
                           uint64_t parent,
                           coronet_bytes function,
                           coronet_bytes parameters,
                           coronet_buffer *answer);
    /*
     Writes a line to the plugin's log. Levels: 1 error, 2 warning, 3 info, 4 debug.
     */
    void (*log)(const void *context, uint32_t level, coronet_bytes message);
    /*
     Takes back a buffer that `call` filled.
     */
    void (*free)(coronet_buffer buffer);
} coronet_host;

/*
 What the entry symbol returns a pointer to. It is static: the host keeps the pointer.
 */
typedef struct {
    /*
     Must be [`MAGIC`].
     */
    uint64_t magic;
    /*
     Must be [`ABI_VERSION`].
     */
    uint32_t abi_version;
    /*
     Size of this struct in bytes, as the plugin knows it.
     */
    uint32_t size;
    /*
     Gives the manifest as JSON. Called before `start`, and perhaps without any `start` after it.
     */
    coronet_buffer (*manifest)(void);
    /*
     Called once, before the first `call`. `settings` is a JSON object that follows the manifest's schema.
     */
    coronet_status (*start)(const coronet_host *host, coronet_bytes settings, coronet_buffer *answer);
    /*
     Answers one call. Several run at the same time, on threads of the host.
     */
    coronet_status (*call)(const coronet_call_context *context,
                           coronet_bytes function,
                           coronet_bytes parameters,
                           coronet_buffer *answer);
    /*
     Called once when no call is running any more; the process ends after it.
     */
    void (*stop)(void);
    /*
     Takes back a buffer that this plugin made.
     */
    void (*free)(coronet_buffer buffer);
} coronet_descriptor;

/*
 The type of the entry symbol.
 */
typedef const coronet_descriptor *(*coronet_entry)(void);

/*
 The call succeeded; the buffer holds the result as JSON.
 */
#define CORONET_OK 0

/*
 The call failed; the buffer holds `{code, message, details?, retryable}` as JSON.
 */
#define CORONET_FAILED 1

#endif  /* CORONET_PLUGIN_H */
