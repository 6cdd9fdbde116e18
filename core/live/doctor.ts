// `sira doctor`: what this machine has, and for each thing missing what it would enable and the one command to get it. The
// main job needs Node alone, so that nothing missing is an error.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { createColors } from 'picocolors';
import type { Command } from '../ports/command.ts';
import type { DoctorCheck, Finding, Machine } from '../ports/doctor-check.ts';
import { questDbVersion } from './services/questdb.ts';

export const thisMachine: Machine = {
  nodeVersion: process.versions.node,
  coreCount: availableParallelism(),
  memoryBytes: totalmem(),
  findProgram(name) {
    return (process.env.PATH ?? '')
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find((file) => {
        try {
          accessSync(file, constants.X_OK);
          return true;
        } catch {
          return false;
        }
      });
  },
  ask(program, words) {
    const answer = spawnSync(program, words, { encoding: 'utf8', timeout: 10_000 });
    if (answer.status !== 0) return undefined;
    return `${answer.stdout}${answer.stderr}`.split('\n')[0]?.trim();
  },
  exists: existsSync,
};

/** Everything that Sira can use, found or missing, on `machine`; `checks` are those of the parts above. */
export function diagnose(machine: Machine, projectRoot: string, checks: readonly DoctorCheck[]): readonly Finding[] {
  return [
    nodeFinding(machine),
    {
      name: 'processors',
      found: true,
      detail: `${machine.coreCount} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB of memory`,
      enables: 'policies and seeds run in parallel, one a core',
      remedy: '',
    },
    ...checks.map((check) => check(machine, projectRoot)),
    program(
      machine,
      'Java',
      ['java'],
      ['-version'],
      'QuestDB as the telemetry store',
      'apt-get install default-jre-headless',
    ),
    questDbFinding(machine, projectRoot),
    program(machine, 'g++', ['g++'], ['--version'], 'the C++ peer in `npm run bench`', 'apt-get install g++'),
    simpyFinding(machine),
    notebooksFinding(machine, projectRoot),
    program(
      machine,
      'Chromium',
      ['chromium', 'chromium-browser', 'google-chrome'],
      ['--version'],
      'the tests that open a report in a browser',
      'apt-get install chromium',
    ),
    sharedDataFinding(machine, projectRoot),
  ];
}

function nodeFinding(machine: Machine): Finding {
  const found = Number(machine.nodeVersion.split('.')[0]) >= 20;
  return {
    name: 'Node',
    found,
    detail: machine.nodeVersion,
    enables: 'everything',
    remedy: found ? '' : 'install Node 20 or newer',
  };
}

function questDbFinding(machine: Machine, projectRoot: string): Finding {
  const jar = join(projectRoot, '.services', 'questdb', `questdb-${questDbVersion}.jar`);
  const found = machine.exists(jar);
  return {
    name: 'QuestDB',
    found,
    detail: found ? `${questDbVersion}, ${jar}` : 'its jar is not fetched',
    enables: 'telemetry in a server of its own, and its tests; DuckDB needs none',
    remedy: found ? '' : 'npm run provision:questdb',
  };
}

function simpyFinding(machine: Machine): Finding {
  const python = machine.findProgram('python3');
  const version =
    python === undefined ? undefined : machine.ask(python, ['-c', 'import simpy; print(simpy.__version__)']);
  const enables = 'the SimPy peer in `npm run bench`';
  if (version !== undefined) return { name: 'SimPy', found: true, detail: version, enables, remedy: '' };
  return {
    name: 'SimPy',
    found: false,
    detail: python === undefined ? 'python3 not found' : 'python3 has no simpy',
    enables,
    remedy: python === undefined ? 'apt-get install python3-simpy' : 'python3 -m pip install simpy',
  };
}

function notebooksFinding(machine: Machine, projectRoot: string): Finding {
  const enables = 'the notebooks, run from top to bottom by `npm run notebooks`';
  const [major = 0, minor = 0] = machine.nodeVersion.split('.').map(Number);
  // Their kernel loads the project's modules by `require`.
  const isNewEnough = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  const parts = [
    ['Jupyter', join('.services', 'jupyter', 'nbconvert'), 'npm run provision:jupyter'],
    ['the kernel tslab', join('notebooks', 'kernel', 'node_modules', 'tslab'), 'npm run provision:jupyter'],
    ['danfojs', join('node_modules', 'danfojs-node'), 'npm ci'],
  ] as const;
  const missing = parts.find(([, path]) => !machine.exists(join(projectRoot, path)));
  const [detail, remedy] =
    machine.findProgram('python3') === undefined
      ? ['python3 not found', 'apt-get install python3 python3-pip']
      : missing !== undefined
        ? [`${missing[0]} is not there`, missing[2]]
        : isNewEnough
          ? ['Jupyter, tslab, danfojs', '']
          : [`Node ${machine.nodeVersion} is too old`, 'install Node 20.19, 22.12 or newer'];
  return { name: 'notebooks', found: remedy === '', detail, enables, remedy };
}

function sharedDataFinding(machine: Machine, projectRoot: string): Finding {
  const folder = join(projectRoot, '..', 'shared', 'data');
  const found = machine.exists(folder);
  return {
    name: 'shared data',
    found,
    detail: found ? folder : `no folder ${folder}`,
    enables: 'the tests on traces whose licence keeps them out of the project',
    remedy: found ? '' : `put the traces into ${folder}`,
  };
}

function program(
  machine: Machine,
  name: string,
  names: readonly string[],
  words: readonly string[],
  enables: string,
  remedy: string,
): Finding {
  for (const candidate of names) {
    const path = machine.findProgram(candidate);
    const version = path === undefined ? undefined : machine.ask(path, words);
    if (version !== undefined) return { name, found: true, detail: version, enables, remedy: '' };
  }
  return { name, found: false, detail: 'not found', enables, remedy };
}

/** `checks` are those of the parts above. */
export function doctorCommand(checks: readonly DoctorCheck[]): Command {
  return {
    name: 'doctor',
    summary: 'say what this machine has, and what each missing thing would enable',
    description:
      'Looks for everything that Sira can use. Simulations and reports need nothing but Node; the rest enables more.',
    arguments: [],
    options: [{ flags: '--json', description: 'print JSON' }],
    examples: [{ line: 'sira doctor', meaning: 'what this machine has' }],
    run(call, context) {
      const findings = diagnose(thisMachine, context.projectRoot, checks);
      if (call.options.json === true) {
        context.terminal.write(`${JSON.stringify(findings, null, 2)}\n`);
        return 0;
      }
      for (const finding of findings) context.terminal.write(formatFinding(finding, context.terminal.colour));
      return 0;
    },
  };
}

/** One line for a thing that is there, and two more if there is something to gain. */
export function formatFinding(finding: Finding, colour: boolean): string {
  const colours = createColors(colour);
  const mark = finding.found ? colours.green('found  ') : colours.yellow('missing');
  const line = `${mark}  ${finding.name.padEnd(12)} ${finding.detail}\n`;
  if (finding.remedy === '') return line;
  const indent = ' '.repeat(22);
  return finding.found
    ? `${line}${indent}better: ${finding.remedy}\n`
    : `${line}${indent}would enable ${finding.enables}\n${indent}get it: ${finding.remedy}\n`;
}
