// The workflow that bench_engine_http runs on Restate: five empty durable steps, as test.steps of the testkit does.
// node service.mjs PORT

// The SDK wants a newer Node than Debian's.
Promise.withResolvers ??= () => {
  let resolve, reject;
  const promise = new Promise((a, b) => { resolve = a; reject = b; });
  return { promise, resolve, reject };
};
const restate = await import("@restatedev/restate-sdk");

const five = restate.service({
  name: "five",
  handlers: {
    run: async (ctx) => {
      for (let i = 0; i < 5; ++i) await ctx.run("empty", () => i);
      return "Completed";
    },
  },
});
restate.serve({ services: [five], port: Number(process.argv[2]) });
