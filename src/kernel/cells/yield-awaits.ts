import type ts from '@tslab/typescript-for-tslab';
import type { Compiler } from './tslab';

/** Name under which compiled cells find `asyncIteratorOf`. */
export const ASYNC_ITERATOR = '__cellAsyncIterator';

/**
 * `await x` at the top level becomes `yield [line, column, x]`: the session then runs every stretch between two awaits by
 * itself, can break each of them, can end the cell at an await, and knows which await a failure came through. A top-level
 * `for await` becomes the loop that it stands for, with the same yields. Sets `found.used` when there was anything to do.
 */
export function yieldAwaits(compiler: Compiler, found: { used: boolean }): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (file) => {
    const { factory } = context;

    /** `(yield [line, column, value])`, with the position of `node`. */
    const yieldOf = (value: ts.Expression, node: ts.Node): ts.Expression => {
      found.used = true;
      const { line, character } = file.getLineAndCharacterOfPosition(node.getStart(file));
      const triple = factory.createArrayLiteralExpression([
        factory.createNumericLiteral(line + 1),
        factory.createNumericLiteral(character + 1),
        value,
      ]);
      return factory.createParenthesizedExpression(factory.createYieldExpression(undefined, triple));
    };

    const call = (object: ts.Expression, method: string): ts.Expression =>
      factory.createCallExpression(factory.createPropertyAccessExpression(object, method), undefined, []);

    /** The variable or target of the loop, set to the step's value. */
    const bind = (initializer: ts.ForInitializer, value: ts.Expression): ts.Statement => {
      if (!compiler.isVariableDeclarationList(initializer)) {
        return factory.createExpressionStatement(factory.createAssignment(initializer, value));
      }
      const declarations = initializer.declarations.map((declaration) =>
        factory.createVariableDeclaration(declaration.name, undefined, undefined, value),
      );
      return factory.createVariableStatement(
        undefined,
        factory.createVariableDeclarationList(declarations, initializer.flags),
      );
    };

    const declare = (name: ts.Identifier, value: ts.Expression | undefined, flags: ts.NodeFlags): ts.Statement =>
      factory.createVariableStatement(
        undefined,
        factory.createVariableDeclarationList(
          [factory.createVariableDeclaration(name, undefined, undefined, value)],
          flags,
        ),
      );

    /** `node` is the loop as written, `visited` the same with its parts already changed. */
    const unrolled = (node: ts.ForOfStatement, visited: ts.ForOfStatement): ts.Statement => {
      const iterator = factory.createUniqueName('iterator');
      const step = factory.createUniqueName('step');
      const open = factory.createCallExpression(factory.createIdentifier(ASYNC_ITERATOR), undefined, [
        visited.expression,
      ]);
      const next = factory.createParenthesizedExpression(
        factory.createAssignment(step, yieldOf(call(iterator, 'next'), node)),
      );
      const loop = factory.createWhileStatement(
        factory.createLogicalNot(factory.createPropertyAccessExpression(next, 'done')),
        factory.createBlock([
          bind(visited.initializer, factory.createPropertyAccessExpression(step, 'value')),
          visited.statement,
        ]),
      );
      // Left early: the iterator is told, as the language does.
      const close = factory.createIfStatement(
        factory.createLogicalNot(
          factory.createPropertyAccessChain(step, factory.createToken(compiler.SyntaxKind.QuestionDotToken), 'done'),
        ),
        factory.createExpressionStatement(yieldOf(call(iterator, 'return'), node)),
      );
      const attempt = factory.createTryStatement(factory.createBlock([loop]), undefined, factory.createBlock([close]));
      return factory.createBlock([
        declare(iterator, open, compiler.NodeFlags.Const),
        declare(step, undefined, compiler.NodeFlags.Let),
        attempt,
      ]);
    };

    const visit = (node: ts.Node): ts.Node => {
      if (compiler.isFunctionLike(node) || compiler.isClassStaticBlockDeclaration(node)) return node;
      const visited = compiler.visitEachChild(node, visit, context);
      if (compiler.isAwaitExpression(visited)) {
        return compiler.setTextRange(yieldOf(visited.expression, node), visited);
      }
      if (compiler.isForOfStatement(node) && compiler.isForOfStatement(visited) && visited.awaitModifier) {
        return compiler.setTextRange(unrolled(node, visited), visited);
      }
      return visited;
    };
    return compiler.visitNode(file, visit) as ts.SourceFile;
  };
}

/** What `for await` asks of a value: its asynchronous iterator, or its plain one with every value awaited. */
export function asyncIteratorOf(value: unknown): { next(): unknown; return(): unknown } {
  const iterable = value as {
    [Symbol.asyncIterator]?(): AsyncIterator<unknown>;
    [Symbol.iterator]?(): Iterator<unknown>;
  };
  const asynchronous = iterable[Symbol.asyncIterator]?.();
  if (asynchronous) return { next: () => asynchronous.next(), return: () => asynchronous.return?.() };
  const plain = iterable[Symbol.iterator]?.();
  if (!plain) throw new TypeError('The value after "of" is not iterable.');
  return {
    next: async () => {
      const step = plain.next();
      return { done: step.done, value: (await step.value) as unknown };
    },
    return: () => plain.return?.(),
  };
}
