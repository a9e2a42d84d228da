# Freeze glmmTMB's answers: Rscript fit.R  (Debian: r-base-core, r-cran-glmmtmb; the program itself never needs R)
#
# M1 = accent + condition + (1|speaker) + (1|text), M2 = with the interaction, per utterance; "aggregated" is the model
# that stats.regression fits for one condition: errors summed over a speaker's texts, babble against clean.
suppressMessages(library(glmmTMB))
scores <- read.csv("scores.csv", stringsAsFactors = FALSE)
scores$accent <- factor(scores$accent)
scores$condition <- factor(scores$condition, levels = c("clean", "babble", "codec"))

number <- function(values) paste0("[", paste(formatC(values, digits = 10, format = "g"), collapse = ", "), "]")

frozen <- function(name, fit, theta) {
  fixed <- summary(fit)$coefficients$cond
  deviations <- sapply(VarCorr(fit)$cond, function(part) attr(part, "stddev"))
  lines <- c(
    sprintf('    "log_likelihood": %s', formatC(as.numeric(logLik(fit)), digits = 10, format = "g")),
    sprintf('    "names": [%s]', paste0('"', rownames(fixed), '"', collapse = ", ")),
    sprintf('    "coefficients": %s', number(fixed[, "Estimate"])),
    sprintf('    "standard_errors": %s', number(fixed[, "Std. Error"])),
    sprintf('    "random_sds": %s', number(deviations))
  )
  if (theta) lines <- c(lines, sprintf('    "theta": %s', formatC(sigma(fit), digits = 10, format = "g")))
  paste0('  "', name, '": {\n', paste(lines, collapse = ",\n"), "\n  }")
}

m1 <- errors ~ accent + condition + (1 | speaker) + (1 | text) + offset(log(words))
m2 <- errors ~ accent * condition + (1 | speaker) + (1 | text) + offset(log(words))
sums <- aggregate(cbind(errors, words) ~ accent + condition + speaker, data = scores, FUN = sum)
two <- droplevels(sums[sums$condition != "codec", ])
two$pair <- paste(two$speaker, two$condition)
paired <- errors ~ accent * condition + (1 | speaker) + (1 | pair) + offset(log(words))

parts <- c(
  sprintf('  "made_by": "R %s.%s, glmmTMB %s"', R.version$major, R.version$minor, packageVersion("glmmTMB")),
  frozen("M1_poisson", glmmTMB(m1, data = scores, family = poisson), FALSE),
  frozen("M1_nb2", glmmTMB(m1, data = scores, family = nbinom2), TRUE),
  frozen("M2_poisson", glmmTMB(m2, data = scores, family = poisson), FALSE),
  frozen("M2_nb2", glmmTMB(m2, data = scores, family = nbinom2), TRUE),
  frozen("aggregated", glmmTMB(paired, data = two, family = poisson), FALSE)
)
writeLines(paste0("{\n", paste(parts, collapse = ",\n"), "\n}"), "glmmtmb.json")
