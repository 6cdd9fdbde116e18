import { describe, expect, test } from 'vitest';
import { sequenceWindowMax } from '../base/sequence-window.ts';
import { SubmissionLedger } from './submission-ledger.ts';

describe('SubmissionLedger', () => {
  test('a question gets the same answer each time', () => {
    const ledger = new SubmissionLedger();
    expect(ledger.look(1, 0)).toBe('new');
    ledger.noteAccepted(1);
    expect(ledger.noteRefused(2)).toBe(true);
    expect(ledger.look(1, 0)).toBe('duplicate');
    expect(ledger.look(2, 0)).toBe('refused');
    expect(ledger.look(3, 0)).toBe('new');
    expect(ledger.look(2 + sequenceWindowMax + 1, 0)).toBe('tooFarAhead');
  });

  test('what its submitter has settled is forgotten, and needs no answer', () => {
    const ledger = new SubmissionLedger();
    for (const submission of [1, 2, 3, 4]) ledger.noteRefused(submission);
    expect(ledger.look(5, 3)).toBe('new');
    expect(ledger.look(3, 0)).toBe('settled');
    expect(ledger.look(4, 0)).toBe('refused');
    expect(ledger.save()).toMatchObject({ watermark: 4, early: [], refused: [4], settled: 3 });
  });

  test('refusals are bounded: one more is left unanswered until some are settled', () => {
    const ledger = new SubmissionLedger();
    for (let submission = 1; submission <= sequenceWindowMax; submission++) {
      expect(ledger.noteRefused(submission)).toBe(true);
    }
    const next = sequenceWindowMax + 1;
    expect(ledger.look(next, 0)).toBe('new');
    expect(ledger.noteRefused(next)).toBe(false);
    expect(ledger.look(next, 10)).toBe('new');
    expect(ledger.noteRefused(next)).toBe(true);
    expect(ledger.look(next, 10)).toBe('refused');
  });

  test('restored from text it answers the same', () => {
    const ledger = new SubmissionLedger();
    ledger.noteAccepted(1);
    ledger.noteRefused(3);
    ledger.noteRefused(2);
    ledger.noteAccepted(6);
    ledger.look(6, 1);
    const restored = SubmissionLedger.restored(JSON.parse(JSON.stringify(ledger.save())));
    for (let submission = 1; submission < 9; submission++) {
      expect(restored.look(submission, 1)).toBe(ledger.look(submission, 1));
    }
    expect(restored.save()).toEqual(ledger.save());
  });
});
