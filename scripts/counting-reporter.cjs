/**
 * Mocha's `spec` reporter that also says at once why a test failed (long suites say it minutes later otherwise), and leaves
 * its counts as JSON in the file named by COUNTS_FILE.
 */
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.on('fail', (_test, error) => reporters.Base.consoleLog(`      ${error.message ?? error}`));
    runner.once('end', () => {
      const { passes, failures, pending, tests } = this.stats;
      writeFileSync(process.env.COUNTS_FILE, JSON.stringify({ passes, failures, pending, tests }));
    });
  }
};
