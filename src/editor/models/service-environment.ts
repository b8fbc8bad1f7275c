import { existsSync } from 'node:fs';
import path from 'node:path';
import type * as Cuda from '../../restoration/models/cuda-runtime';
import { MODELS_VARIABLE, installedModelsFolder } from '../../restoration/models/locations';
import { chosenModelsFolder, chosenOnnxruntimePath } from '../configuration';
import type { Log } from '../status/log';

/** Loaded when it is needed: most machines have no CUDA. */
const cuda = (): Promise<typeof Cuda> => import('../../restoration/models/cuda-runtime');

/** What the processes of this window are told about this machine: where models are, and where CUDA's libraries are. */
export class ServiceEnvironment {
  /** Folder of downloaded runtimes, a folder a version. */
  readonly runtimes: string;
  private readonly links: string;

  /** @param storage the extension's global storage on this machine */
  constructor(
    storage: string,
    private readonly log: Log,
  ) {
    this.runtimes = path.join(storage, 'onnxruntime');
    this.links = path.join(storage, 'onnxruntime-links');
  }

  /** Folder of the models that were added. */
  get modelsFolder(): string {
    return chosenModelsFolder() ?? installedModelsFolder();
  }

  /**
   * The CUDA libraries that the inference process is given; undefined when there are none.
   *
   * @throws RestorationError when the folder in the settings holds none that fit
   */
  async runtime(): Promise<Cuda.CudaRuntime | undefined> {
    const given = chosenOnnxruntimePath();
    if (given === undefined && !existsSync(this.runtimes)) return undefined;
    const { existingCudaRuntime, installedCudaRuntime } = await cuda();
    return given === undefined ? installedCudaRuntime(this.runtimes) : existingCudaRuntime(given);
  }

  /** Folders that the loader of shared libraries searches first. */
  async librarySearch(runtime: Cuda.CudaRuntime): Promise<string[]> {
    return (await cuda()).linkCudaRuntime(runtime, this.links);
  }

  /** The environment of an inference process that starts now. Without CUDA it works on another device. */
  async variables(): Promise<NodeJS.ProcessEnv> {
    const environment: NodeJS.ProcessEnv = {
      ...process.env,
      ELECTRON_RUN_AS_NODE: '1',
      [MODELS_VARIABLE]: this.modelsFolder,
    };
    try {
      const runtime = await this.runtime();
      if (runtime !== undefined) {
        const search = await this.librarySearch(runtime);
        environment.LD_LIBRARY_PATH = (await cuda()).libraryPath(search);
        this.log.info(`The inference process is given the CUDA libraries in ${runtime.folder}.`);
      }
    } catch (error) {
      this.log.failure(error);
    }
    return environment;
  }
}
