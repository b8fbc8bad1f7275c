import { RestorationError, type KernelRequest, type ServiceAddress } from '../../protocol';

interface Pending {
  resolve(address: ServiceAddress): void;
  reject(error: Error): void;
}

/** Asks the host where the inference service listens; every question settles. */
export class ServiceLocator {
  private sequence = 0;
  private readonly pending = new Map<number, Pending>();

  constructor(private readonly ask: (sequence: number) => void) {}

  find(): Promise<ServiceAddress> {
    const sequence = ++this.sequence;
    return new Promise((resolve, reject) => {
      this.pending.set(sequence, { resolve, reject });
      this.ask(sequence);
    });
  }

  answer({ sequence, address, error }: Extract<KernelRequest, { type: 'service' }>): void {
    const pending = this.pending.get(sequence);
    this.pending.delete(sequence);
    if (address) pending?.resolve(address);
    else {
      const problem = error ?? 'The inference service could not be started.';
      pending?.reject(new RestorationError('service-died', problem, 'Run the cell again.'));
    }
  }
}
