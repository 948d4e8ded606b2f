import type { Command } from 'commander';
import type { ExitCode } from '../errors.ts';

/**
 * What each file of this folder exports: adds one verb to the program and reports how a run of it
 * ended.
 */
export type RegisterCommand = (program: Command, done: (exitCode: ExitCode) => void) => void;
