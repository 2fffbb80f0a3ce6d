"""What a database's driver raises, for those who may not know the driver."""

from sqlalchemy.exc import SQLAlchemyError

DRIVER_ERRORS = (SQLAlchemyError,)
