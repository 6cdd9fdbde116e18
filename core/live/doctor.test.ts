import { describe, expect, test } from 'vitest';
import { diagnose, type Machine, thisMachine } from './doctor.ts';

const bare: Machine = {
  nodeVersion: '20.1.0',
  coreCount: 2,
  memoryBytes: 4 * 2 ** 30,
  findProgram: () => undefined,
  ask: () => undefined,
  exists: () => false,
};

function finding(machine: Machine, name: string) {
  const found = diagnose(machine, '/project').find((one) => one.name === name);
  expect(found, name).toBeDefined();
  return found!;
}

describe('the doctor', () => {
  test('needs nothing but Node, and says what each missing thing would enable and how to get it', () => {
    const missing = diagnose(bare, '/project').filter((one) => !one.found);
    expect(missing.map((one) => one.name)).toEqual(['TensorFlow', 'Java', 'g++', 'SimPy', 'Chromium', 'shared data']);
    for (const one of missing) {
      expect(one.enables).not.toBe('');
      expect(one.remedy).not.toBe('');
    }
  });

  test('an old Node is found out', () => {
    expect(finding({ ...bare, nodeVersion: '18.19.0' }, 'Node').found).toBe(false);
    expect(finding(bare, 'Node').found).toBe(true);
  });

  test('a program counts only if it answers', () => {
    const present: Machine = { ...bare, findProgram: (name) => `/bin/${name}` };
    expect(finding(present, 'Java').found).toBe(false);
    const answering: Machine = { ...present, ask: (program) => `${program} 17` };
    expect(finding(answering, 'Java').detail).toBe('/bin/java 17');
    expect(finding(answering, 'SimPy').found).toBe(true);
  });

  test('the best TensorFlow backend is named', () => {
    const withBackends = (...names: string[]): Machine => ({
      ...bare,
      exists: (path) => names.some((name) => path.endsWith(name)),
    });
    expect(finding(withBackends('tfjs-core'), 'TensorFlow').detail).toBe('cpu backend');
    expect(finding(withBackends('tfjs-core', 'tfjs-backend-wasm'), 'TensorFlow').detail).toBe('wasm backend');
  });

  test('this very machine can be examined', () => {
    const findings = diagnose(thisMachine, process.cwd());
    expect(findings[0]).toMatchObject({ name: 'Node', found: true, detail: process.versions.node });
    expect(thisMachine.findProgram('surely-no-such-program')).toBeUndefined();
    expect(thisMachine.ask(process.execPath, ['-e', 'console.log(1+1)'])).toBe('2');
    expect(thisMachine.ask(process.execPath, ['-e', 'process.exit(1)'])).toBeUndefined();
  });
});
