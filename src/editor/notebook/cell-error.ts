import { RestorationError, type CellError } from '../../protocol';

/** A failure of the kernel as the error of the cell that met it. */
export function asCellError(error: unknown): CellError {
  return { name: 'KernelError', message: RestorationError.from(error).message, stack: '' };
}
