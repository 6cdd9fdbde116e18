import { describe, expect, it } from 'vitest';
import { errorTable, SiraError } from './errors.ts';
import { accepted, acceptedWith, refused, requireAccepted, type Status, valueOrThrow } from './status.ts';

describe('Status', () => {
  it('passes values on and turns refusals into coded errors that say where', () => {
    expect(valueOrThrow(acceptedWith(7))).toBe(7);
    requireAccepted(accepted);
    const status: Status = refused('SIRA_QUEUE_FULL', 'the queue holds its maximum of 3 tasks');
    try {
      requireAccepted(status, { field: 'scheduler.queueLengthMax' });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SiraError);
      const coded = error as SiraError;
      expect(coded.code).toBe('SIRA_QUEUE_FULL');
      expect(coded.message).toBe('the queue holds its maximum of 3 tasks');
      expect(coded.place.field).toBe('scheduler.queueLengthMax');
      expect(coded.remedy).toBe(errorTable.SIRA_QUEUE_FULL.remedy);
    }
  });
});
