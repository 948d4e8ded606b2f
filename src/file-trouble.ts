/**
 * Why the system did not open, read or write a file, in a sentence's part that names no file:
 * `there is no such file or directory`. What was no answer of the system stays as it is.
 */
export function fileTrouble(cause: unknown): string {
  const { code = '', message }: NodeJS.ErrnoException = cause instanceof Error ? cause : new Error(String(cause));
  return answers[code] ?? message.replace(/^(Error: )?E[A-Z]+: /, '').replace(/, (\w+)( '.*')?$/, '');
}

/** The system's answers (errno) that users meet. */
const answers: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a part of its path is no directory',
  EISDIR: 'it is a directory',
  EACCES: 'the permissions do not allow it',
  EPERM: 'the permissions do not allow it',
  EROFS: 'its file system can only be read',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be too large',
  EEXIST: 'it is there already',
  ELOOP: 'its links lead back to themselves',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'the disk does not answer as it should',
  EPIPE: 'nobody reads it any more',
  Z_BUF_ERROR: 'its gzip stream ends early: the file is truncated',
};
