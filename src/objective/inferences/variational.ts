import { defineInference } from './inference.js';

/** The decoder maximises the objective, too: it is trained on draws from q(z|x) (Kingma and Welling 2014). */
export const variational = defineInference({ title: 'variational', hyperparameters: {} });
