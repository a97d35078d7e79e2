import { defineConfig } from 'vitest/config';

// scripts/test.ts asks for each project's results as a file, to add them up; people see the default output.
const report = process.env.KBIN_TEST_REPORT;

export default defineConfig({
  test: {
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**'],
          // Many run real programs; a busy machine is no failure.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // They mostly wait for those programs: with one worker fewer than cores, as is the default, it takes three times as long.
          maxWorkers: 3,
          retry: process.env.CI === undefined ? 0 : 1,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/setup.ts'],
          // Real machines are slow at times; tests assert order and outcome. A lab's waits end well before this does.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // Each file runs hosts of its own, and etcd's elections do not like a crowd on two cores.
          maxWorkers: 2,
          // A machine that others use too may stall for seconds, longer than an etcd waits for its leader. What fails
          // twice is broken; vitest tells what needed its second try.
          retry: process.env.CI === undefined ? 0 : 1,
        },
      },
    ],
  },
});
