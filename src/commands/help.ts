import { type AddHelpTextContext, type Command, Help, type HelpConfiguration } from 'commander';

/**
 * How every command's `--help` is laid out: lines break between words, in a terminal of any width.
 */
export const helpLayout: HelpConfiguration = {
  minWidthToWrap: 1,
  // That each command takes options needs no column of its own.
  subcommandTerm: (command: Command) =>
    [command.name(), ...command.registeredArguments.map((argument) => argumentTerm(argument))].join(' '),
  formatItem(term, termWidth, description, helper) {
    const columns = helper.helpWidth ?? defaultColumns;
    if (!description) return `  ${term}`;
    const room = columns - termWidth - 4;
    const beside = room >= leastColumn;
    const lines = helper.boxWrap(description, beside ? room : columns - 6).split('\n');
    if (!beside) return [`  ${term}`, ...lines.map((line) => `      ${line}`)].join('\n');
    return [
      `  ${term.padEnd(termWidth)}  ${lines[0]}`,
      ...lines.slice(1).map((line) => ' '.repeat(termWidth + 4) + line),
    ].join('\n');
  },
};

/** A paragraph below the help of a command, broken where the terminal ends. */
export function paragraph(text: string): (context: AddHelpTextContext) => string {
  return () => {
    const help = new Help();
    help.prepareContext({});
    const columns = (process.stdout.isTTY ? process.stdout.columns : undefined) ?? defaultColumns;
    return `\n${help.boxWrap(text, columns)}`;
  };
}

/** Where stdout is no terminal. */
const defaultColumns = 80;

/**
 * A narrower column beside the terms is hard to read: descriptions then stand below their terms.
 */
const leastColumn = 40;

function argumentTerm(argument: Command['registeredArguments'][number]): string {
  const inner = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${inner}>` : `[${inner}]`;
}
