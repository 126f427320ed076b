import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8's background threads from allocating for a compiler; imported for this, before all else. Such a thread may wait for
 * a garbage collection by the main thread while `process.exit` has the main thread wait for it: the process then
 * never ends (nodejs/node#54918, Node 24.21). Maglev and the concurrent Sparkplug allocate there, TurboFan hardly. A folder of
 * pictures takes the same processor time without them (12.9 and 12.5 s, medians of six runs in turn).
 */
setFlagsFromString("--no-maglev");
setFlagsFromString("--no-concurrent-sparkplug");
