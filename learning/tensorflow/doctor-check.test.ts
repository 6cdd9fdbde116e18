import { expect, test } from 'vitest';
import { type TensorFlowState, tensorFlowFinding } from './doctor-check.ts';

const installed: TensorFlowState = { whyNotNative: '', nativeHome: '/home', packages: () => true, wanted: '' };

test('the doctor names the backend that would load, and the one command for a better one', () => {
  expect(tensorFlowFinding(installed)).toMatchObject({ found: true, detail: 'native backend, /home', remedy: '' });
  const unbuilt = tensorFlowFinding({ ...installed, whyNotNative: 'not built yet' });
  expect(unbuilt).toMatchObject({ found: true, detail: 'wasm backend; native: not built yet' });
  expect(unbuilt.remedy).toMatch(/^npm run provision:tensorflow/);
});

test('where native cannot be built nothing better is promised', () => {
  const foreign = tensorFlowFinding({
    ...installed,
    whyNotNative: 'the native build is for Linux on x86-64, this is …',
  });
  expect(foreign).toMatchObject({ found: true, remedy: '' });
});

test('what the environment asks for is honoured', () => {
  expect(tensorFlowFinding({ ...installed, wanted: 'cpu' }).detail).toMatch(/^cpu backend, as SIRA_TENSORFLOW_BACKEND/);
  expect(tensorFlowFinding({ ...installed, wanted: 'native', whyNotNative: 'not built yet' }).found).toBe(false);
});

test('nothing installed is a thing missing', () => {
  expect(tensorFlowFinding({ ...installed, packages: () => false })).toMatchObject({ found: false, remedy: 'npm ci' });
});
