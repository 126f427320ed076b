/**
 * How long HEALTHCHECK waits for an answer, in ms: less than the time that the Dockerfile gives the whole check, so that it says
 * itself what is wrong.
 */
export const healthAnswerTimeoutMs = 4_000;
