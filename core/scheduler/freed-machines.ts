// The machines that gained room since the last cycle: all that a waiting task need be tried on. More than can be remembered
// means that any may have.

const remembered = 1024;

export class FreedMachines {
  private machines: number[] = [];

  get any(): boolean {
    return this.machines.length > 0;
  }

  note(machine: number): void {
    const { machines } = this;
    if (machines.length <= remembered && machines[machines.length - 1] !== machine) machines.push(machine);
  }

  /** True if `test` holds for one of them, or if there are too many to tell. */
  some(test: (machine: number) => boolean): boolean {
    return this.machines.length > remembered || this.machines.some(test);
  }

  clear(): void {
    this.machines.length = 0;
  }

  save(): readonly number[] {
    return [...this.machines];
  }

  restore(machines: readonly number[]): void {
    this.machines = [...machines];
  }
}
