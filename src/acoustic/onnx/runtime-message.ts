/** What onnxruntime says, without the source line and the C++ signature that it puts in front. */
export function runtimeMessage(error: unknown): string {
  const line = String(error instanceof Error ? error.message : error).split('\n')[0]!;
  return line
    .split(' was false. ')
    .at(-1)!
    .replace(/:\S*\.cc:\d+ [^()]*\([^()]*\) /, ': ');
}
