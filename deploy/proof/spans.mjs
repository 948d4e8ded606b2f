// What the checks of a Collector's file share.
import { readFileSync } from 'node:fs';

/** Documents of a file that has one a line. */
export function lines(text) {
  const documents = text.trim().split('\n');
  return documents.map((line) => JSON.parse(line));
}

/** All spans of a Collector's file, each with the name of the service that sent it. */
export function spansOf(file) {
  return lines(readFileSync(file, 'utf8'))
    .flatMap(({ resourceSpans }) => resourceSpans)
    .flatMap(({ resource, scopeSpans }) => {
      const service = resource.attributes.find(({ key }) => key === 'service.name').value.stringValue;
      return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })));
    });
}

/** Collects what holds and what does not; `end` prints it and sets the exit code. */
export function checks() {
  const rows = [];
  return {
    hold: (what, found, isSo) => rows.push({ verdict: isSo ? 'pass' : 'FAIL', what, found }),
    end() {
      const failed = rows.filter(({ verdict }) => verdict === 'FAIL').length;
      for (const { verdict, what, found } of rows) console.log(`${verdict}  ${what}: ${found}`);
      console.log(failed === 0 ? `\nall ${rows.length} hold\n` : `\n${failed} of ${rows.length} do not hold\n`);
      process.exitCode = failed === 0 ? 0 : 1;
    },
  };
}
