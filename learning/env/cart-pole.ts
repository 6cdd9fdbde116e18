// CartPole-v1: a pole on a cart is kept upright by pushing left or right. The dynamics, bounds and rewards of Gymnasium's
// `envs/classic_control/cartpole.py` (Barto, Sutton and Anderson, IEEE SMC-13, 1983): Euler steps of 0.02 s, reward 1 a step, the
// end beyond ±2.4 or ±12°, or after 500 steps. The two actions are candidates: the state, and which way.

import { RandomStream } from '../../core/base/random.ts';
import type { Environment } from './environment.ts';

const gravity = 9.8;
const massCart = 1;
const massPole = 0.1;
const halfLength = 0.5;
const force = 10;
const stepSeconds = 0.02;
const positionMax = 2.4;
const angleMax = (12 * 2 * Math.PI) / 360;
const stepsMax = 500;

export class CartPole implements Environment {
  readonly name = 'cart-pole';
  readonly schema = 'cart-pole/1';
  readonly featureNames = ['position', 'velocity', 'angle', 'angularVelocity', 'push'] as const;
  readonly candidatesMax = 2;
  private position = 0;
  private velocity = 0;
  private angle = 0;
  private angularVelocity = 0;
  private steps = 0;
  private fallen = false;

  readonly teachers = ['lean'] as const;

  /** Pushes to the side to which the pole falls. */
  choiceOf(): number {
    return this.angle + this.angularVelocity > 0 ? 1 : 0;
  }

  reset(seed: number): void {
    const random = new RandomStream(seed, 'cart-pole');
    const draw = (): number => 0.1 * random.nextFloat() - 0.05;
    this.position = draw();
    this.velocity = draw();
    this.angle = draw();
    this.angularVelocity = draw();
    this.steps = 0;
    this.fallen = false;
  }

  /** Goes on from that state. */
  resetTo(position: number, velocity: number, angle: number, angularVelocity: number): void {
    this.reset(0);
    this.position = position;
    this.velocity = velocity;
    this.angle = angle;
    this.angularVelocity = angularVelocity;
  }

  readonly candidateCount = 2;

  get done(): boolean {
    return this.fallen || this.steps === stepsMax;
  }

  get truncated(): boolean {
    return !this.fallen && this.steps === stepsMax;
  }

  observe(out: Float64Array, at: number): void {
    for (let candidate = 0; candidate < 2; candidate++) {
      const row = at + 5 * candidate;
      out[row] = this.position;
      out[row + 1] = this.velocity;
      out[row + 2] = this.angle;
      out[row + 3] = this.angularVelocity;
      out[row + 4] = candidate === 1 ? 1 : -1;
    }
  }

  step(choice: number): number {
    const push = choice === 1 ? force : -force;
    const cosine = Math.cos(this.angle);
    const sine = Math.sin(this.angle);
    const massTotal = massCart + massPole;
    const poleMassLength = massPole * halfLength;
    const share = (push + poleMassLength * this.angularVelocity * this.angularVelocity * sine) / massTotal;
    const angularAcceleration =
      (gravity * sine - cosine * share) / (halfLength * (4 / 3 - (massPole * cosine * cosine) / massTotal));
    const acceleration = share - (poleMassLength * angularAcceleration * cosine) / massTotal;
    this.position += stepSeconds * this.velocity;
    this.velocity += stepSeconds * acceleration;
    this.angle += stepSeconds * this.angularVelocity;
    this.angularVelocity += stepSeconds * angularAcceleration;
    this.steps++;
    this.fallen = Math.abs(this.position) > positionMax || Math.abs(this.angle) > angleMax;
    return 1;
  }

  metrics(): Readonly<Record<string, number>> {
    return { steps: this.steps };
  }
}
