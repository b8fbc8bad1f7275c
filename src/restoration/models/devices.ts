import * as ort from 'onnxruntime-node';
import { DEVICES, RestorationError, type ConcreteDevice, type Device, type DeviceReport } from '../../protocol';
import { sessionOptions } from './sessions';
import { PROBE_CHANNELS, probeNetwork } from './probe-network';

const CANDIDATES = DEVICES.filter((device): device is ConcreteDevice => device !== 'auto');

/** First a tiny picture, which also compiles what has to be compiled: does the device work at all? */
const FIRST_SIDE = 32;
/** Then one large enough that a real GPU beats the CPU. */
const PROBE_SIDE = 128;
const PROBE_RUNS = 3;
/** A device that takes longer than this for the tiny picture is software in disguise: the large one would take minutes. */
const HOPELESS_MILLISECONDS = 100;

/** What a failing probe means in practice: the runtime's own messages name source files of its build. */
const EXPLANATIONS: Partial<Record<ConcreteDevice, string>> = {
  cuda: 'the CUDA libraries are not installed, or find no NVIDIA GPU; in the editor "Install CUDA Runtime..." gets them, elsewhere ONNXRUNTIME_NODE_INSTALL=cuda12',
  tensorrt: 'the TensorRT provider is not installed or finds no NVIDIA GPU',
  webgpu: 'no GPU driver was found that WebGPU can use (Vulkan, Metal or Direct3D 12)',
  dml: 'no GPU driver was found that DirectML can use',
  coreml: 'Core ML refused the probe network',
};

/** Where builds of onnxruntime for a device are to be had. */
const BUILDS: Partial<Record<ConcreteDevice, string>> = {
  cuda: 'CUDA comes with builds for Linux and Windows on x64',
  tensorrt: 'TensorRT comes with builds for Linux on x64',
  webgpu: 'WebGPU comes with builds for Linux, Windows and macOS on Apple silicon',
  dml: 'DirectML comes with builds for Windows',
  coreml: 'Core ML comes with builds for macOS on Apple silicon',
};

function shortened(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? text).trim().slice(0, 200);
}

interface ProbeResult extends DeviceReport {
  /** Best time of a few runs, milliseconds. */
  milliseconds?: number;
}

export interface DeviceChoice {
  used: ConcreteDevice;
  /** Said in the record when it is not what was asked for. */
  note?: string;
}

/**
 * Finds out which devices work by running a small convolution network on each, one provider at a time and in this
 * process: what a provider list claims is not what runs. Every result is kept for the life of the process.
 */
export class Devices {
  private readonly probes = new Map<ConcreteDevice, Promise<ProbeResult>>();

  /** All devices that this build could use, whether they work, and why not. */
  async report(): Promise<DeviceReport[]> {
    const reports: DeviceReport[] = [];
    const { used } = await this.choose('auto');
    for (const device of CANDIDATES) {
      const { available, detail } = await this.probe(device);
      reports.push({ device, available, detail, ...(device === used ? { automatic: true } : {}) });
    }
    return reports;
  }

  /**
   * The device to run on. `auto` is the fastest that works: a software GPU (common on servers) works too, but slower than
   * the CPU. A device that was named and does not work falls back to the CPU, with a note saying why.
   */
  async choose(requested: Device): Promise<DeviceChoice> {
    if (requested !== 'auto') {
      const probe = await this.probe(requested);
      if (probe.available) return { used: requested };
      return { used: 'cpu', note: `The device ${requested} is not available (${probe.detail}); the cpu was used.` };
    }
    const cpu = await this.probe('cpu');
    let best: ConcreteDevice = 'cpu';
    let bestTime = cpu.milliseconds ?? Number.POSITIVE_INFINITY;
    for (const device of CANDIDATES) {
      if (device === 'cpu') continue;
      const probe = await this.probe(device);
      if (probe.available && probe.milliseconds !== undefined && probe.milliseconds < bestTime) {
        best = device;
        bestTime = probe.milliseconds;
      }
    }
    return { used: best };
  }

  private probe(device: ConcreteDevice): Promise<ProbeResult> {
    let result = this.probes.get(device);
    if (!result) {
      result = probe(device);
      this.probes.set(device, result);
    }
    return result;
  }
}

async function probe(device: ConcreteDevice): Promise<ProbeResult> {
  // A provider that is not built in would be dropped silently, so ask first.
  const backend = ort.listSupportedBackends().find(({ name }) => name === device);
  if (!backend) {
    const where = BUILDS[device];
    const detail = `not built for ${process.platform} ${process.arch}${where === undefined ? '' : ` (${where})`}`;
    return { device, available: false, detail };
  }
  try {
    const session = await ort.InferenceSession.create(probeNetwork(), sessionOptions(device));
    try {
      await timeProbe(session, FIRST_SIDE);
      let milliseconds = await timeProbe(session, FIRST_SIDE);
      if (milliseconds > HOPELESS_MILLISECONDS) {
        const slow = milliseconds * (PROBE_SIDE / FIRST_SIDE) ** 2;
        return { device, available: true, detail: `works, but slowly (software?)`, milliseconds: slow };
      }
      milliseconds = Number.POSITIVE_INFINITY;
      for (let run = 0; run < PROBE_RUNS; run++) {
        milliseconds = Math.min(milliseconds, await timeProbe(session, PROBE_SIDE));
      }
      return { device, available: true, detail: `probe ran in ${milliseconds.toFixed(1)} ms`, milliseconds };
    } finally {
      await session.release();
    }
  } catch (error) {
    return { device, available: false, detail: EXPLANATIONS[device] ?? shortened(error) };
  }
}

/** Milliseconds of one run on a grey picture; @throws Error when what comes out is not what the arithmetic says. */
async function timeProbe(session: ort.InferenceSession, side: number): Promise<number> {
  const data = new Float32Array(PROBE_CHANNELS * side * side).fill(0.5);
  const feeds = { x: new ort.Tensor('float32', data, [1, PROBE_CHANNELS, side, side]) };
  const start = performance.now();
  const { y } = await session.run(feeds);
  const milliseconds = performance.now() - start;
  const values = y?.data;
  const middle = values instanceof Float32Array ? values[(side / 2) * side + side / 2] : undefined;
  // Away from the border every output is 16 channels x 9 taps x 0.5 / 64.
  const expected = (PROBE_CHANNELS * 9 * 0.5) / 64;
  if (middle === undefined || !(Math.abs(middle - expected) < 0.01 * expected)) {
    throw new Error(`the probe network gave ${middle} instead of ${expected}`);
  }
  return milliseconds;
}

/** Checks a device name from outside. */
export function parseDevice(value: string): Device {
  if ((DEVICES as readonly string[]).includes(value)) return value as Device;
  throw new RestorationError(
    'bad-argument',
    `There is no device ${JSON.stringify(value)}.`,
    `Choose one of ${DEVICES.join(', ')}.`,
  );
}
