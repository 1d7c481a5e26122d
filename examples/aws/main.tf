# Change events of one table, from EventBridge through SQS and Lambda, kept right in DynamoDB by anyorder.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "topic" {
  type        = string
  default     = "shop.public.users"
  description = "The Kafka topic whose records the EventBridge sink connector puts on the bus."
}

variable "package" {
  type        = string
  description = "A zip of function/app.py with `pip install 'anyorder[aws]' --target .` beside it."
}

variable "name" {
  type    = string
  default = "anyorder-example"
}

data "aws_region" "here" {}

resource "aws_cloudwatch_event_bus" "changes" {
  name = "${var.name}-changes"
}

resource "aws_cloudwatch_event_rule" "topic" {
  name           = "${var.name}-topic"
  description    = "Every record of the topic, tombstones too."
  event_bus_name = aws_cloudwatch_event_bus.changes.name
  event_pattern = jsonencode({
    source = [{ prefix = "kafka-connect." }]
    detail = { topic = [var.topic] }
  })
}

# Neither input_path nor input_transformer: the key and the null value of a tombstone must arrive.
resource "aws_cloudwatch_event_target" "queue" {
  rule           = aws_cloudwatch_event_rule.topic.name
  event_bus_name = aws_cloudwatch_event_bus.changes.name
  target_id      = "queue"
  arn            = aws_sqs_queue.changes.arn
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

resource "aws_sqs_queue" "changes" {
  name                       = "${var.name}-changes"
  visibility_timeout_seconds = 180 # six times the function's timeout
  message_retention_seconds  = 1209600
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

data "aws_iam_policy_document" "from_the_rule" {
  for_each = {
    changes      = aws_sqs_queue.changes.arn
    dead_letters = aws_sqs_queue.dead_letters.arn
  }
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [each.value]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.topic.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "changes" {
  queue_url = aws_sqs_queue.changes.id
  policy    = data.aws_iam_policy_document.from_the_rule["changes"].json
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = data.aws_iam_policy_document.from_the_rule["dead_letters"].json
}

resource "aws_dynamodb_table" "users" {
  name         = "${var.name}-users"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "N"
  }
  point_in_time_recovery {
    enabled = true
  }
}

resource "aws_dynamodb_table" "books" {
  name         = "${aws_dynamodb_table.users.name}-anyorder"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "part"
  range_key    = "place"
  attribute {
    name = "part"
    type = "S"
  }
  attribute {
    name = "place"
    type = "S"
  }
  point_in_time_recovery {
    enabled = true
  }
}

data "aws_iam_policy_document" "is_a_function" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  statement {
    actions = [
      "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable",
      "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem",
    ]
    resources = [aws_dynamodb_table.users.arn, "${aws_dynamodb_table.users.arn}/index/*", aws_dynamodb_table.books.arn]
  }
  statement {
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.changes.arn]
  }
  statement {
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:*:*:*"]
  }
}

resource "aws_iam_role" "function" {
  name               = "${var.name}-function"
  assume_role_policy = data.aws_iam_policy_document.is_a_function.json
}

resource "aws_iam_role_policy" "function" {
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

resource "aws_lambda_function" "users" {
  function_name    = "${var.name}-users"
  role             = aws_iam_role.function.arn
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = "app.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  timeout          = 30
  memory_size      = 512
  environment {
    variables = {
      ANYORDER_URL   = "dynamodb://${aws_dynamodb_table.users.name}?region=${data.aws_region.here.name}"
      ANYORDER_TABLE = "users"
    }
  }
}

resource "aws_lambda_event_source_mapping" "changes" {
  event_source_arn                   = aws_sqs_queue.changes.arn
  function_name                      = aws_lambda_function.users.arn
  batch_size                         = 100
  maximum_batching_window_in_seconds = 1
  function_response_types            = ["ReportBatchItemFailures"]
}

output "bus" {
  value = aws_cloudwatch_event_bus.changes.arn
}
