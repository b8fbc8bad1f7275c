/** Mocha's `spec` reporter that also leaves its counts as JSON in the file named by COUNTS_FILE. */
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending, tests } = this.stats;
      writeFileSync(process.env.COUNTS_FILE, JSON.stringify({ passes, failures, pending, tests }));
    });
  }
};
