// What the learning loop can use, for `sira doctor`.

import type { DoctorCheck } from '../core/ports/doctor-check.ts';
import { tensorFlowCheck } from './tensorflow/doctor-check.ts';

export const learningChecks: readonly DoctorCheck[] = [tensorFlowCheck];
