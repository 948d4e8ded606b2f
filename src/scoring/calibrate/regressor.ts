import { forestPredictor } from './forest.ts';
import { perceptronPredictor } from './perceptron.ts';
import type { Known, Predict, Regressor } from './regressor-schema.ts';

/** The regressor as a function of its inputs. */
export function predictor(model: Regressor, known: Known): Predict {
  switch (model.kind) {
    case 'trees':
      return forestPredictor(model, known);
    case 'layers':
      return perceptronPredictor(model, known);
    case 'sum': {
      const parts = model.of.map((part) => ({ weight: part.weight, predict: predictor(part.model, known) }));
      return (input, which) => {
        let total = 0;
        for (const part of parts) total += part.weight * part.predict(input, which);
        return total;
      };
    }
  }
}
