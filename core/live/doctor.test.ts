import { describe, expect, test } from 'vitest';
import type { Finding, Machine } from '../ports/doctor-check.ts';
import { diagnose, formatFinding, thisMachine } from './doctor.ts';

const bare: Machine = {
  nodeVersion: '20.1.0',
  coreCount: 2,
  memoryBytes: 4 * 2 ** 30,
  findProgram: () => undefined,
  ask: () => undefined,
  exists: () => false,
};

function finding(machine: Machine, name: string) {
  const found = diagnose(machine, '/project', []).find((one) => one.name === name);
  expect(found, name).toBeDefined();
  return found!;
}

describe('the doctor', () => {
  test('needs nothing but Node, and says what each missing thing would enable and how to get it', () => {
    const missing = diagnose(bare, '/project', []).filter((one) => !one.found);
    expect(missing.map((one) => one.name)).toEqual([
      ...['Java', 'QuestDB', 'g++', 'SimPy', 'notebooks', 'Chromium', 'shared data'],
    ]);
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

  test('notebooks need Python, Jupyter, the kernel, danfojs, and a Node that requires modules', () => {
    const withPython: Machine = { ...bare, nodeVersion: '20.19.0', findProgram: (name) => `/bin/${name}` };
    const having = (...names: string[]): Machine => ({
      ...withPython,
      exists: (path) => names.some((name) => path.includes(name)),
    });
    expect(finding(bare, 'notebooks').detail).toBe('python3 not found');
    expect(finding(having(), 'notebooks').detail).toBe('Jupyter is not there');
    expect(finding(having('jupyter'), 'notebooks').detail).toBe('the kernel tslab is not there');
    expect(finding(having('jupyter', 'tslab'), 'notebooks')).toMatchObject({ found: false, remedy: 'npm ci' });
    const all = having('jupyter', 'tslab', 'danfojs');
    expect(finding(all, 'notebooks').found).toBe(true);
    for (const old of ['20.18.3', '21.7.0', '22.11.0'])
      expect(finding({ ...all, nodeVersion: old }, 'notebooks').found, old).toBe(false);
  });

  test('checks of the parts above are asked too, and say what would be better than what is there', () => {
    const improvable: Finding = { name: 'Oven', found: true, detail: 'gas', enables: 'bread', remedy: 'buy wood' };
    const findings = diagnose(bare, '/project', [
      (machine, root) => ({ ...improvable, detail: `${machine.coreCount} ${root}` }),
    ]);
    expect(findings.find(({ name }) => name === 'Oven')?.detail).toBe('2 /project');
    expect(formatFinding(improvable, false)).toBe(
      'found    Oven         gas\n                      better: buy wood\n',
    );
    expect(formatFinding({ ...improvable, remedy: '' }, false)).toBe('found    Oven         gas\n');
    expect(formatFinding({ ...improvable, found: false }, false)).toContain('would enable bread');
  });

  test('this very machine can be examined', () => {
    const findings = diagnose(thisMachine, process.cwd(), []);
    expect(findings[0]).toMatchObject({ name: 'Node', found: true, detail: process.versions.node });
    expect(thisMachine.findProgram('surely-no-such-program')).toBeUndefined();
    expect(thisMachine.ask(process.execPath, ['-e', 'console.log(1+1)'])).toBe('2');
    expect(thisMachine.ask(process.execPath, ['-e', 'process.exit(1)'])).toBeUndefined();
  });
});
