/**
 * Variables of the server's environment that may be named as a secret's place, by whoever may declare a window or map a topic: those that are
 * meant for it. Nothing else of the environment is theirs.
 */
export const SECRET_VARIABLE = /^LAMBENT_SECRET_[A-Z0-9_]{1,100}$/u;
