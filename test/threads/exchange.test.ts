import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Exchange } from '../../src/threads/exchange.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An exchange with one member, and what it asked of it since the last look. */
function start() {
  const asked: string[] = [];
  let mailComes = 0;
  const exchange = new Exchange();
  exchange.join({
    collect: () => void asked.push('collect'),
    send: () => void asked.push('send'),
    sleep: () => {
      asked.push('sleep');
      return --mailComes < 0;
    },
    stayAwake: () => void asked.push('stay awake'),
  });
  const look = (afterMs: number) => {
    vi.advanceTimersByTime(afterMs);
    return asked.splice(0).join(', ');
  };
  return {
    exchange,
    look,
    mailComes: (times: number) => {
      mailComes = times;
    },
    say: (times: number) => {
      for (let i = 0; i < times; i++) exchange.soon();
    },
  };
}

describe('the mail of a thread', () => {
  it('sleeps until something is said, and makes one round for all that is said within 2 ms', () => {
    const { look, say } = start();
    expect(look(1000)).toBe('sleep');
    say(3);
    expect(look(1)).toBe('stay awake');
    say(2);
    expect(look(1)).toBe('collect, send, sleep');
    expect(look(1000)).toBe('');
  });

  it('makes a round each 5 ms while much is said, and needs nobody to wake it meanwhile', () => {
    const { look, say, exchange } = start();
    look(0);
    say(20);
    expect(look(2)).toBe('stay awake, collect, send');
    say(20);
    exchange.woken();
    expect(look(4)).toBe('');
    expect(look(1)).toBe('collect, send');
    expect(look(5)).toBe('collect, send, sleep');
  });

  it('makes a round at once when it is woken', () => {
    const { look, exchange } = start();
    look(0);
    exchange.woken();
    expect(look(0)).toBe('collect, send, sleep');
  });

  it('goes on where something has come while it went to sleep', () => {
    const { look, say, mailComes } = start();
    look(0);
    mailComes(1);
    say(1);
    expect(look(2)).toBe('stay awake, collect, send, sleep, stay awake');
    expect(look(2)).toBe('collect, send, sleep');
  });

  it('asks nothing more of a member that left', () => {
    const exchange = new Exchange();
    const member = {
      collect: () => expect.unreachable(),
      send: () => expect.unreachable(),
      sleep: () => true,
      stayAwake: () => {},
    };
    exchange.join(member);
    exchange.soon();
    exchange.leave(member);
    vi.advanceTimersByTime(100);
    exchange.close();
  });
});
