/**
 * Why a program of Node ended, from what it wrote to stderr: the error that nobody caught, V8's last word, or the last line that is
 * a sentence; empty when it said nothing.
 */
export function causeOfDeath(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const error = lines.findLast(
    (line) => /^(Uncaught )?\w*Error( \[\w+\])?: /.test(line) || line.startsWith('FATAL ERROR: '),
  );
  return error ?? lines.findLast((line) => /\w/.test(line) && !/^(Node\.js v|at )/.test(line)) ?? '';
}
