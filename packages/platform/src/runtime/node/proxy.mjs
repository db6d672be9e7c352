// The egress proxy for `fetch`, `http` and `https`, switched on when the function first reaches for one of them:
// Node would load all of its HTTP at start, which costs every waiting process 6 MB and some 30 ms.
import { registerHooks } from "node:module";

const HTTP_MODULE = /^(node:)?https?$/;

/** Called while the process waits, so that the hook costs no assignment. Not needed where Node was told at its start. */
export function useProxyWhenNeeded() {
  if (process.env.NODE_USE_ENV_PROXY) return;
  const lazyFetch = Object.getOwnPropertyDescriptor(globalThis, "fetch");
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (HTTP_MODULE.test(specifier)) switchOn();
      return next(specifier, context);
    },
  });
  let on = false;
  const switchOn = () => {
    if (on) return;
    on = true;
    hooks.deregister();
    Object.defineProperty(globalThis, "fetch", lazyFetch);
    if (process.env.HTTP_PROXY || process.env.HTTPS_PROXY) process.getBuiltinModule("node:http").setGlobalProxyFromEnv();
  };
  Object.defineProperty(globalThis, "fetch", {
    configurable: true,
    enumerable: lazyFetch.enumerable,
    get() {
      switchOn();
      return globalThis.fetch;
    },
    set(value) {
      switchOn();
      globalThis.fetch = value;
    },
  });
}
