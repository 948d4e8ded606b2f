import { Box, render, Text } from 'ink';
import { formatMs } from '../../format.ts';
import { plainValue } from '../../plain-text.ts';
import { gradeOf, gradeSymbols, type StreamView, type WordView } from './stream-view.ts';

/**
 * The live screen of one reading: words with their phones beneath, colouring while they are read.
 */
export function StreamScreen({ view }: { readonly view: StreamView }) {
  const { file, state, spokenMs, totalMs, words, latenciesMs, drops, resumes } = view;
  const last = latenciesMs.at(-1);
  return (
    <Box flexDirection="column" paddingX={1}>
      <Text>
        <Text bold>{file}</Text> <Text dimColor>{`${state}, ${formatMs(spokenMs)} of ${formatMs(totalMs)}`}</Text>
      </Text>
      <Box flexWrap="wrap" columnGap={2} rowGap={1} marginY={1}>
        {words.map((word, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: words keep their places, and may repeat
          <Word key={index} word={word} />
        ))}
      </Box>
      <Text dimColor>
        {last === undefined
          ? 'no feedback yet'
          : `last event ${formatMs(last)} after its sound, ${latenciesMs.length} so far`}
        {drops > 0 ? `; socket lost ${drops} x, resumed ${resumes} x` : ''}
      </Text>
      <Text dimColor>{'phones: plain good, ~ fair, ! wrong, ? not scored, · to come; dim may still change'}</Text>
    </Box>
  );
}

/** Draws on `stream` until stopped; only for a terminal. */
export function startStreamScreen(stream: NodeJS.WriteStream, first: StreamView) {
  const screen = render(<StreamScreen view={plainValue(first)} />, {
    stdout: stream,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  return {
    update: (view: StreamView) => screen.rerender(<StreamScreen view={plainValue(view)} />),
    stop: () => screen.unmount(),
  };
}

function Word({ word }: { readonly word: WordView }) {
  const grades = word.results.map(gradeOf);
  const worst = grades.includes('poor') ? 'poor' : grades.includes('fair') ? 'fair' : 'good';
  const heard = word.results.length > 0;
  return (
    <Box flexDirection="column">
      <Text bold={word.confirmed} dimColor={!heard} {...colourOf(heard ? worst : undefined)}>
        {word.text}
      </Text>
      <Text>
        {word.results.map((result) => {
          const grade = gradeOf(result);
          return (
            <Text key={result.index} dimColor={result.status === 'provisional'} {...colourOf(grade)}>
              {`${gradeSymbols[grade]}${result.phoneme} `}
            </Text>
          );
        })}
        <Text dimColor>{'· '.repeat(Math.max(0, word.reference.length - word.results.length))}</Text>
      </Text>
    </Box>
  );
}

function colourOf(grade: keyof typeof gradeSymbols | undefined): { color?: string } {
  switch (grade) {
    case 'good':
      return { color: 'green' };
    case 'fair':
      return { color: 'yellow' };
    case 'poor':
      return { color: 'red' };
    default:
      return {};
  }
}
